internal import LinearAlgebra

/// Corrects solutions of (A + Λ) X = Y by their own residuals, computed in twice the precision, while that helps.
struct Refinement {
    /// A above the diagonal.
    let matrix: Matrix<Double>
    /// Of A.
    let diagonal: [Double]
    /// Λ.
    let shifts: [Double]
    /// ‖A + Λ‖₁.
    let norm: Double

    func residual(_ targets: Matrix<Double>, _ solution: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try matrix.residual(targets, solution, diagonal: diagonal, shifts: shifts, on: executor)
    }

    func refine(
        _ targets: Matrix<Double>, _ solver: SystemSolver, on executor: any TileExecutor
    ) throws -> (coefficients: Matrix<Double>, relativeResidual: Double, hasConverged: Bool) {
        func rest(_ solution: Matrix<Double>) throws -> Matrix<Double> {
            guard solution.isFinite else { throw RegressionError.overflow }
            let residual = try residual(targets, solution, on: executor)
            guard residual.isFinite else { throw RegressionError.overflow }
            // What the pseudo-inverse cannot reach is not an error of the solution.
            guard case .spectral(let spectral) = solver, spectral.isSingular else { return residual }
            return try spectral.range(residual, on: executor)
        }
        var solution = try solver.solve(targets, on: executor)
        var left = try rest(solution)
        var (firstRatio, lastRatio) = (1.0, 1.0)
        var hasConverged = false
        for step in 0..<16 {
            let correction = try solver.solve(left, on: executor)
            let ratio = correction.largestColumnRatio(to: solution)
            if step == 0 { firstRatio = ratio }
            guard ratio < lastRatio / 2 else {
                hasConverged = ratio < 1e-14
                break
            }
            let better = solution.adding(correction)
            left = try rest(better)
            solution = better
            // Each step multiplies the error by about the first ratio, so that of a correction as much is left.
            hasConverged = ratio * firstRatio < .ulpOfOne
            if hasConverged { break }
            lastRatio = ratio
        }
        return (solution, backwardError(left, solution, targets), hasConverged)
    }

    /// max over columns of ‖R‖₁ / (‖A + Λ‖₁ ‖X‖₁ + ‖Y‖₁).
    func backwardError(_ residual: Matrix<Double>, _ solution: Matrix<Double>, _ targets: Matrix<Double>) -> Double {
        var worst = 0.0
        for output in 0..<targets.columns {
            var sums = (residual: 0.0, solution: 0.0, targets: 0.0)
            for point in 0..<targets.rows {
                sums.residual += abs(residual[point, output])
                sums.solution += abs(solution[point, output])
                sums.targets += abs(targets[point, output])
            }
            let scale = norm * sums.solution + sums.targets
            if sums.residual > 0 { worst = max(worst, scale.isFinite ? sums.residual / scale : 0) }
        }
        return worst
    }

    /// The diagonal of (A + Λ)⁻¹ from a factor, and each element corrected by its column's residual: what a condition κ has taken, κε, is
    /// left as its square. 12 n³ operations a pass.
    func inverseDiagonal(_ solver: SystemSolver, passes: Int, on executor: any TileExecutor) throws -> [Double] {
        let n = matrix.rows
        var result = [Double](repeating: 0, count: n)
        for start in stride(from: 0, to: n, by: 64) {
            let width = min(64, n - start)
            let unit = Matrix<Double>(zeroRows: n, columns: width)
            for column in 0..<width { unit.storage.set((start + column) * width + column, 1) }
            var columns = try solver.solve(unit, on: executor)
            var rest = try residual(unit, columns, on: executor)
            for _ in 1..<max(passes, 1) {
                columns = columns.adding(try solver.solve(rest, on: executor))
                rest = try residual(unit, columns, on: executor)
            }
            for column in 0..<width {
                var correction = 0.0
                for row in 0..<n { correction += columns[row, column] * rest[row, column] }
                result[start + column] = columns[start + column, column] + correction
            }
        }
        return result
    }

    /// tr A (A + Λ)⁻¹, column by column, without the cancellation of m − tr Λ (A + Λ)⁻¹ where Λ is large. 2 n³ operations.
    func effectiveDimension(_ solver: SystemSolver, on executor: any TileExecutor) throws -> Double {
        let n = matrix.rows
        var sum = 0.0
        for start in stride(from: 0, to: n, by: 64) {
            let width = min(64, n - start)
            let columns = Matrix<Double>(uninitializedRows: n, columns: width)
            for row in 0..<n {
                for column in 0..<width {
                    let other = start + column
                    let element = row == other ? diagonal[row] : matrix[min(row, other), max(row, other)]
                    columns.storage.set(row * width + column, element)
                }
            }
            let solved = try solver.solve(columns, on: executor)
            for column in 0..<width { sum += solved[start + column, column] }
        }
        return sum
    }

    /// Xᵀ A X of one column.
    func energy(_ solution: Matrix<Double>, _ column: Int, on executor: any TileExecutor) throws -> Double {
        let own = solution.columns([column])
        let zero = Matrix<Double>(zeroRows: own.rows, columns: 1)
        let image = try matrix.residual(zero, own, diagonal: diagonal, shifts: shifts.map { _ in 0 }, on: executor)
        return -zip(own.elements, image.elements).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

extension Matrix where Element == Double {
    /// max over columns of max_i |A_i| / max_i |B_i|.
    func largestColumnRatio(to other: Matrix) -> Double {
        var worst = 0.0
        for column in 0..<columns {
            var (own, others) = (0.0, 0.0)
            for row in 0..<rows {
                own = max(own, abs(self[row, column]))
                others = max(others, abs(other[row, column]))
            }
            if own > 0 { worst = max(worst, own / others) }
        }
        return worst
    }
}
