internal import Glibc
package import LinearAlgebra

/// Leave-one-out errors of kernel ridge regression on a sample of N points and on random subsets of it: what theory is held against, and
/// continued from.
package struct LeaveOneOutSizes: Sendable {
    package struct Measurement: Sendable {
        package let samples: Int
        /// Mean squared error over points and outputs, mean over subsets.
        package let error: Double
        /// Of that mean, as if the points were independent.
        package let standardError: Double
    }

    package let measurements: [Measurement]

    /// Sizes N/4 … N by factors of √2, and how many subsets of each.
    private static let plan: [(exponent: Double, subsets: Int)] = [(-2, 6), (-1.5, 5), (-1, 4), (-0.5, 3), (0, 1)]
    /// Points below which no subset says anything.
    package static let fewest = 16

    /// - Parameters:
    ///   - kernel: K [N, N]; targets [N, k].
    ///   - ridge: ≥ 0.
    /// - Time: some N³.
    package init(
        kernel: Matrix<Double>, targets: Matrix<Double>, ridge: Double, seed: UInt64, on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        var generator = SplitMix64(seed: seed)
        var measurements: [Measurement] = []
        for (exponent, subsets) in Self.plan {
            let size = Int((Double(kernel.rows) * exp2(exponent)).rounded())
            guard size >= Self.fewest / 2 else { continue }
            var squares: [Double] = []
            for _ in 0..<subsets {
                let chosen = size == kernel.rows ? Array(0..<size) : generator.subset(of: kernel.rows, count: size)
                squares += try Self.squares(kernel, targets, chosen, ridge, executor)
            }
            let mean = squares.reduce(0, +) / Double(squares.count)
            let variance = squares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(squares.count - 1, 1))
            // Subsets overlap: no more than N points are independent.
            let independent = Double(min(squares.count, kernel.rows))
            // A point left out leaves one less to learn from.
            measurements.append(Measurement(samples: size - 1, error: mean, standardError: (variance / independent).squareRoot()))
        }
        self.measurements = measurements
    }

    /// Squares of y_i − f_{−i}(x_i), mean over outputs: α_i/[(K + λI)⁻¹]_ii (Rasmussen & Williams 2006, eq. 5.12).
    private static func squares(
        _ kernel: Matrix<Double>, _ targets: Matrix<Double>, _ chosen: [Int], _ ridge: Double, _ executor: any TileExecutor
    ) throws -> [Double] {
        let n = chosen.count
        let matrix = Matrix<Double>(zeroRows: n, columns: n)
        var trace = 0.0
        for (i, row) in chosen.enumerated() {
            for (j, column) in chosen.enumerated() { matrix.storage.set(i * n + j, kernel[row, column]) }
            trace += kernel[row, row]
        }
        // Of a singular kernel the interpolant of least norm is near.
        let shift = max(ridge, 1e-12 * trace / Double(n))
        for i in 0..<n { matrix.storage.set(i * n + i, matrix[i, i] + shift) }
        let factor = try Cholesky(inPlace: matrix, on: executor)
        let inverse = try factor.inverseDiagonal(on: executor)
        let solution = try factor.solve(targets.rows(chosen), on: executor)
        let outputs = Double(targets.columns)
        return (0..<n).map { i in solution.row(i).reduce(0) { $0 + ($1 / inverse[i]) * ($1 / inverse[i]) } / outputs }
    }
}

extension SplitMix64 {
    /// A random subset, which depends on the seed alone.
    fileprivate mutating func subset(of total: Int, count: Int) -> [Int] { Array((0..<total).shuffled(using: &self).prefix(count)).sorted() }
}

extension LeaveOneOutSizes {
    /// The ridge of least leave-one-out error on all points, of 41 from 1e-10 to 1e2 times the mean diagonal.
    package static func bestRidge(
        kernel: Matrix<Double>, targets: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Double {
        let diagonal = kernel.diagonal.reduce(0, +) / Double(kernel.rows)
        let eigen = try SymmetricEigen(inPlace: kernel.copy(), on: executor)
        let projected = try eigen.project(targets, on: executor)
        var best = (error: Double.infinity, ridge: 0.0)
        for step in 0...40 {
            let ridge = diagonal * pow(10, -10 + 0.3 * Double(step))
            let weights = eigen.values.map { 1 / (max($0, 0) + ridge) }
            let inverse = try eigen.weightedDiagonal(weights, on: executor)
            let scaled = Matrix(
                rows: projected.rows, columns: projected.columns,
                (0..<projected.rows).flatMap { row in projected.row(row).map { $0 * weights[row] } })
            let solution = try eigen.combine(scaled, on: executor)
            var error = 0.0
            for row in 0..<solution.rows { error += solution.row(row).reduce(0) { $0 + ($1 / inverse[row]) * ($1 / inverse[row]) } }
            if error < best.error { best = (error, ridge) }
        }
        return best.ridge
    }
}
