import Testing

@testable import NTK

/// Products of `rows` points with all `count` points of a set, of which they are the first, as `innerProducts` and `cosines` make them.
struct PairProducts<Element: KernelScalar> {
    let rows, count: Int
    let elements: [Element]
    let seed: UInt64

    /// They are plain sums over the points [count, d].
    func expectSums(of points: [Element], _ d: Int, tolerance: Double) {
        let x = points.map { Double($0) }
        for i in 0..<rows {
            for j in 0..<count {
                let plain = (0..<d).reduce(0) { $0 + x[i * d + $1] * x[j * d + $1] }
                #expect(abs(Double(elements[i * count + j]) - plain) <= tolerance, "\(i) \(j), seed \(seed)")
            }
        }
    }

    /// A pair's bits do not tell its place or its order.
    func expectSymmetry() {
        for i in 0..<rows {
            for j in 0..<min(rows, count) { #expect(elements[i * count + j] == elements[j * count + i], "\(i) \(j), seed \(seed)") }
        }
    }

    /// What was made of the upper half alone is the same, from the run of the diagonal on.
    func expectUpperHalf(_ half: [Element]) {
        for i in 0..<rows {
            for j in i / run * run..<count { #expect(half[i * count + j] == elements[i * count + j], "\(i) \(j), seed \(seed)") }
        }
    }
}
