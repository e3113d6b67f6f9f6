import Architecture
import KernelLoops
import LinearAlgebra

// Operations that combine positions.
extension SpatialPass {
    /// Mean over positions of each with its own.
    func flatten(_ input: Plane, _ output: Plane) {
        let list = unsafe BlockList(aligned: input.list.grid)
        let grid = list.grid
        let input = unsafe held(input, as: list)
        let sum = unsafe Element.blockSum(input.base, rows: grid.rows, columns: grid.width, stride: grid.stride)
        let theta = unsafe input.theta.map { unsafe Element.blockSum($0, rows: grid.rows, columns: grid.width, stride: grid.stride) } ?? 0
        unsafe set(output, sum / Double(grid.positions), theta / Double(grid.positions))
    }

    /// Mean or sum of K and Θ over all pairs of positions that are not masked.
    func globalPool(_ reduction: Pool.Reduction, _ value: Int, _ input: Plane?, _ output: Plane) throws {
        var sum = sums[value] ?? (0, 0)
        if let input = unsafe input {
            let list = unsafe input.list
            sum = try unsafe (plan.forms[value] == .gap ? covarianceSum(input) : 0, 0)
            for index in list.pairs.indices {
                if plan.forms[value] != .gap {
                    sum.distance += unsafe Element.blockSum(
                        input.block(index), rows: list.rowCount, columns: list.grid.width, stride: list.grid.stride)
                }
                if let theta = unsafe input.thetaBlock(index) {
                    sum.theta += unsafe Element.blockSum(theta, rows: list.rowCount, columns: list.grid.width, stride: list.grid.stride)
                }
            }
        }
        let positions = program.values[value].positions
        if plan.forms[value] == .distance {
            let variances = [first, second].map { $0.variances[value]?.values.reduce(0, +) ?? 0 }
            sum.distance = (Double(positions) * (variances[0] + variances[1]) - sum.distance) / 2
        }
        var count = 1.0
        if reduction == .average {
            for stats in [first, second] {
                count *= Double(stats.mask(value).map { max($0.count { !$0 }, 1) } ?? positions)
            }
        }
        unsafe set(output, sum.distance / count, sum.theta / count)
    }

    private func set(_ output: Plane, _ covariance: Double, _ theta: Double) {
        unsafe output.base.initialize(repeating: 0, count: output.list.elements)
        unsafe output.base[0] = Element(covariance)
        if let target = unsafe output.theta {
            unsafe target.initialize(repeating: 0, count: output.list.elements)
            unsafe target[0] = Element(theta)
        }
    }

    /// x ← A x on both sides: K ← A K Aᵀ.
    func map(_ map: SpatialMap, _ input: Plane, _ output: Plane) throws {
        if map.isSelection {
            unsafe select(map, input, output)
            return
        }
        guard unsafe output.list.pairing == .full else {
            try unsafe mapAligned(map, input, output)
            return
        }
        let matrix = try unsafe dense(input, input.base, form: plan.forms[input.value])
        unsafe scatter(apply(map, matrix, map), output, output.base)
        if let theta = unsafe output.theta, let source = unsafe input.theta {
            try unsafe scatter(apply(map, dense(input, source, form: .covariance), map), output, theta)
        }
    }

    /// The same where only each position with its own is asked for: Σ_ij a_i a_j K_ij over the few inputs of an output.
    private func mapAligned(_ map: SpatialMap, _ input: Plane, _ output: Plane) throws {
        let (width, stride) = unsafe (output.list.grid.width, output.list.grid.stride)
        let covariance = try unsafe dense(input, input.base, form: plan.forms[input.value])
        let tangent = try unsafe input.theta.map { try unsafe dense(input, $0, form: .covariance) }
        unsafe output.base.initialize(repeating: 0, count: output.list.elements)
        unsafe output.theta?.initialize(repeating: 0, count: output.list.elements)
        var entries: [(position: Int, weight: Element)] = []
        for row in 0..<map.count {
            if row % askedRows == 0, CurrentWork.isCancelled { return }
            entries.removeAll(keepingCapacity: true)
            map.forEachEntry(of: row) { entries.append(($0, Element($1))) }
            let place = row / width * stride + row % width
            unsafe output.base[place] = pairSum(entries, covariance)
            if let target = unsafe output.theta, let tangent { unsafe target[place] = pairSum(entries, tangent) }
        }
    }

    private func pairSum(_ entries: [(position: Int, weight: Element)], _ matrix: Matrix<Element>) -> Element {
        var sum: Element = 0
        for second in entries {
            var inner: Element = 0
            for first in entries { unsafe inner += first.weight * matrix.base[first.position * matrix.columns + second.position] }
            sum += second.weight * inner
        }
        return sum
    }

    private func apply(_ map: SpatialMap, _ matrix: Matrix<Element>) -> Matrix<Element> {
        let result = Matrix<Element>(zeroRows: map.count, columns: matrix.columns)
        for row in 0..<map.count {
            if row % askedRows == 0, CurrentWork.isCancelled { break }
            let target = unsafe result.base + row * matrix.columns
            map.forEachEntry(of: row) { position, weight in
                let weight = Element(weight)
                let source = unsafe matrix.base + position * matrix.columns
                for c in 0..<matrix.columns { unsafe target[c] += weight * source[c] }
            }
        }
        return result
    }

    /// A1 K A2ᵀ: additions of rows, then of columns.
    func apply(_ a1: SpatialMap, _ matrix: Matrix<Element>, _ a2: SpatialMap) -> Matrix<Element> {
        let half = apply(a1, matrix)
        let result = Matrix<Element>(uninitializedRows: half.rows, columns: a2.count)
        var entries: [(position: Int, weight: Element)] = []
        for column in 0..<a2.count {
            if column % askedRows == 0, CurrentWork.isCancelled { break }
            entries.removeAll(keepingCapacity: true)
            a2.forEachEntry(of: column) { entries.append(($0, Element($1))) }
            for row in 0..<half.rows {
                var sum: Element = 0
                for entry in entries { unsafe sum += entry.weight * half.base[row * half.columns + entry.position] }
                unsafe result.base[row * result.columns + column] = sum
            }
        }
        return result
    }

    func select(_ map: SpatialMap, _ input: Plane, _ output: Plane) {
        if unsafe plan.forms[output.value] == .gap {
            unsafe selectGaps(map, input, output)
            return
        }
        let isDistance = unsafe plan.forms[output.value] == .distance
        let (own, other) = unsafe (first.variances[output.value], second.variances[output.value])
        unsafe forEachPair(output) { place, p1, p2 in
            let (a, b) = (map.selected(p1), map.selected(p2))
            if let a, let b, let source = unsafe input.list.place(a.position, b.position), a.weight == b.weight {
                let weight = Element(a.weight * b.weight)
                unsafe output.base[place] = weight * input.base[source]
                if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = weight * own[source] }
            } else if let a, let b, let source = unsafe input.list.place(a.position, b.position) {
                // Different weights: D is not a multiple of D.
                let q1 = unsafe first.variances[input.value]?.values[a.position] ?? 0
                let q2 = unsafe second.variances[input.value]?.values[b.position] ?? 0
                let held = unsafe Double(input.base[source])
                let covariance = a.weight * b.weight * (isDistance ? (q1 + q2 - held) / 2 : held)
                unsafe output.base[place] = Element(isDistance ? (own?.values[p1] ?? 0) + (other?.values[p2] ?? 0) - 2 * covariance : covariance)
                if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = Element(a.weight * b.weight) * own[source] }
            } else {
                unsafe output.base[place] = isDistance ? Element((own?.values[p1] ?? 0) + (other?.values[p2] ?? 0)) : 0
                if let theta = unsafe output.theta { unsafe theta[place] = 0 }
            }
        }
    }

    /// A cosine stays as it is, but for the sign of its weights.
    private func selectGaps(_ map: SpatialMap, _ input: Plane, _ output: Plane) {
        unsafe forEachPair(output) { place, p1, p2 in
            guard let a = map.selected(p1), let b = map.selected(p2), let source = unsafe input.list.place(a.position, b.position),
                a.weight != 0, b.weight != 0
            else {
                unsafe output.base[place] = 1
                if let theta = unsafe output.theta { unsafe theta[place] = 0 }
                return
            }
            let gap = unsafe input.base[source]
            let isZero = unsafe first.variances[input.value]?.values[a.position] == 0 || second.variances[input.value]?.values[b.position] == 0
            unsafe output.base[place] = isZero ? 1 : (a.weight < 0) == (b.weight < 0) ? gap : -gap
            if let theta = unsafe output.theta, let own = unsafe input.theta { unsafe theta[place] = Element(a.weight * b.weight) * own[source] }
        }
    }
}
