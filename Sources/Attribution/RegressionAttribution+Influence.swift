package import LinearAlgebra
internal import NTK

// Influences at test points, from V = k(x*, X)(K + λW⁻¹)⁻¹ [t, m], which takes mean targets to predictions; [t · k, m] where the kernel tells
// outputs apart.
extension RegressionAttribution {
    /// What is asked of a point.
    package enum Effect: Sendable {
        /// f(x*) − f₋ᵢ(x*): what a prediction loses without it.
        case removal
        /// S_*i yᵢ: what its target contributes; over all points the prediction, less f₀.
        case contribution
    }

    /// Effects on each output at each test point [t, n · k], in the order point, output. t n k operations, k times as many where outputs are told
    /// apart.
    package func influence(_ effect: Effect, _ map: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let steps = steps(effect)
        return try byTest(map, columns: count * outputs, on: executor) { write(steps, map, $0, to: $1) }
    }

    private func steps(_ effect: Effect) -> Matrix<Double> { effect == .removal ? removals : contributions }

    /// The weights of targets [t, n], so that f(x*) = Σ_i weight_i y_i (less f₀ on both sides); [t, k · n · k] in the order output, point,
    /// output of the point where the kernel tells outputs apart.
    package func weights(_ map: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try byTest(map, columns: count * rowsPerPoint * rowsPerPoint, on: executor) { writeWeights(map, $0, to: $1) }
    }

    /// f(x*) − f₋B(x*) [t, k] of a set that is removed.
    package func influence(_ removal: Removal, _ map: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let product = try map.columns(removal.rows).multiply(removal.steps, on: executor)
        return product.reshaped(rows: map.rows / rowsPerPoint, columns: outputs)
    }

    /// The points with the largest influence, and what it is.
    package struct Largest: Sendable {
        /// Indices of points [t, top], in descending order; of equal ones the first.
        package let points: [[Int]]
        /// [t, top · k].
        package let values: Matrix<Double>
    }

    /// Those of all effects that are, as vectors of outputs, the longest, without an array of all.
    package func largest(_ effect: Effect, _ map: Matrix<Double>, top: Int, on executor: any TileExecutor) throws -> Largest {
        let (steps, size, n) = (steps(effect), outputs, count)
        let (tests, kept) = (map.rows / rowsPerPoint, min(top, n))
        let values = Matrix<Double>(uninitializedRows: tests, columns: kept * size)
        let points = Storage<Double>(count: tests * kept)
        try executor.forEach(tests) { test in
            let own = Matrix<Double>(uninitializedRows: n, columns: size)
            write(steps, map, test, to: own)
            let lengths = own.rowSquares
            let order = lengths.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }.prefix(kept)
            for (place, point) in order.enumerated() {
                points.set(test * kept + place, Double(point))
                for number in 0..<size { values.storage.set((test * kept + place) * size + number, own[point, number]) }
            }
        }
        let indices = points.elements.map { Int($0) }
        return Largest(points: (0..<tests).map { Array(indices[$0 * kept..<($0 + 1) * kept]) }, values: values)
    }

    private func write(_ steps: Matrix<Double>, _ map: Matrix<Double>, _ test: Int, to result: Matrix<Double>) {
        let (group, k, m) = (regression.groups.group, outputs, map.columns)
        if rowsPerPoint == 1 {
            for point in 0..<count {
                let own = unsafe map.base[test * m + group[point]]
                for output in 0..<k { unsafe result.base[point * k + output] = own * steps.base[point * k + output] }
            }
            return
        }
        for point in 0..<count {
            for output in 0..<k {
                let row = unsafe map.base + (test * k + output) * m
                var sum = 0.0
                for other in point * k..<(point + 1) * k { unsafe sum += row[group[other]] * steps.base[other] }
                unsafe result.base[point * k + output] = sum
            }
        }
    }

    private func writeWeights(_ map: Matrix<Double>, _ test: Int, to result: Matrix<Double>) {
        let (groups, rows) = (regression.groups, count * rowsPerPoint)
        for output in 0..<rowsPerPoint {
            let own = unsafe map.base + (test * rowsPerPoint + output) * map.columns
            for row in 0..<rows {
                let group = groups.group[row]
                unsafe result.base[output * rows + row] = own[group] / groups.multiplicities[group]
            }
        }
    }

    private func byTest(
        _ map: Matrix<Double>, columns: Int, on executor: any TileExecutor, _ write: @escaping @Sendable (Int, Matrix<Double>) -> Void
    ) throws -> Matrix<Double> {
        let tests = map.rows / rowsPerPoint
        let result = Matrix<Double>(uninitializedRows: tests, columns: columns)
        try executor.forEach(tests) { test in write(test, result.slice(test..<test + 1)) }
        return result
    }
}
