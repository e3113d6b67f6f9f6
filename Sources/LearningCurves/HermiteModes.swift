/// The largest modes of a rotation-invariant kernel on Gaussian data, by the Hermite eigenstructure ansatz (Karkada, Turnbull, Liu, Simon 2025,
/// arXiv 2510.14878): for K(x, x') = F(⟨x, x'⟩) at |x|² = tr Γ, with γ the eigenvalues of the covariance Γ and c_ℓ the derivatives of F at 0, a
/// mode belongs to a multiset a of principal components,
///
///     λ_a = c_|a| Π_i γ_{a_i},   its function the product of normalized Hermite polynomials of ⟨u_i, x⟩/√γ_i.
package struct HermiteModes: Sendable {
    package struct Mode: Sendable {
        /// Indices of principal components in ascending order, repeated.
        package let components: [Int]
        package let eigenvalue: Double

        /// Π h_{a_i}(z_i).
        package func value(_ z: [Double]) -> Double {
            var product = 1.0
            var index = 0
            while index < components.count {
                let component = components[index]
                var degree = 0
                while index < components.count, components[index] == component { (degree, index) = (degree + 1, index + 1) }
                var (before, value) = (0.0, 1.0)
                for n in 0..<degree {
                    (before, value) = (value, (z[component] * value - Double(n).squareRoot() * before) / Double(n + 1).squareRoot())
                }
                product *= value
            }
            return product
        }
    }

    /// In descending order of eigenvalues.
    package let modes: [Mode]

    /// - Parameters:
    ///   - variances: γ in descending order.
    ///   - levels: c_ℓ, those that are not above 0 have no modes.
    ///   - count: modes at the most.
    /// - Time: O(count log count) for the degrees that occur.
    package init(variances: [Double], levels: [Double], count: Int) {
        let variances = variances.filter { $0 > 0 }
        var heap = ModeHeap()
        func product(_ components: [Int]) -> Double { components.reduce(levels[components.count]) { $0 * variances[$1] } }
        for degree in levels.indices where levels[degree] > 0 && (degree == 0 || !variances.isEmpty) {
            let first = [Int](repeating: 0, count: degree)
            heap.insert(.init(key: product(first), components: first))
        }
        var modes: [Mode] = []
        modes.reserveCapacity(count)
        while modes.count < count, let next = heap.popLargest() {
            modes.append(Mode(components: next.components, eigenvalue: next.key))
            for components in next.successors(below: variances.count) { heap.insert(.init(key: product(components), components: components)) }
        }
        self.modes = modes
    }
}

/// A heap of modes by eigenvalue, the largest on top.
struct ModeHeap {
    struct Entry {
        var key: Double
        /// Ascending.
        var components: [Int]

        /// The multisets of which this one is the predecessor: a multiset's predecessor has its first component above 0 one lower, so that each
        /// is reached once, and never before one that is larger.
        func successors(below count: Int) -> [[Int]] {
            let position = components.firstIndex { $0 > 0 } ?? components.count
            var result: [[Int]] = []
            if position < components.count {
                let limit = position + 1 < components.count ? components[position + 1] : count - 1
                if components[position] < limit { result.append(raised(position)) }
            }
            if position > 0, count > 1 { result.append(raised(position - 1)) }
            return result
        }

        private func raised(_ index: Int) -> [Int] {
            var components = components
            components[index] += 1
            return components
        }
    }

    private var entries: [Entry] = []

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var index = entries.count - 1
        while index > 0, entries[(index - 1) / 2].key < entries[index].key {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func popLargest() -> Entry? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var index = 0
        while true {
            var largest = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count && entries[child].key > entries[largest].key { largest = child }
            if largest == index { return first }
            entries.swapAt(index, largest)
            index = largest
        }
    }
}
