internal import LinearAlgebra

/// B + λI, kept so that it can be factored in place: the factor stands below the diagonal, B stays above it, and its diagonal beside.
struct RegressionSystem {
    private let matrix: Matrix<Double>
    private let diagonal: [Double]
    /// ‖B‖₁.
    let norm: Double

    /// Condition numbers beyond 1/(ε · this) are singular to working precision, and are left to the eigenvalues to decide.
    private static let roundingMargin = 4.0
    /// Steps of a ladder of jitters, from ε times the mean diagonal, each ten times the last.
    private static let jitterSteps = 13
    /// From this order on half the precision is tried first where the factor is not needed.
    private static let mixedPrecisionFrom = 1_024

    struct Solution {
        var coefficients: Matrix<Double>
        var solver: SystemSolver
        var method: Diagnostics.Method
        var rank: Int
        var reciprocalCondition: Double
        var logDeterminant: Double?
        var relativeResidual: Double
        var jitter = 0.0
    }

    init(_ matrix: Matrix<Double>, on executor: any TileExecutor) throws {
        self.matrix = matrix
        diagonal = matrix.diagonal
        norm = try matrix.symmetricOneNorm(on: executor)
        guard norm.isFinite else { throw RegressionError.kernelOverflow }
    }

    /// B has no eigenvalue further below 0 than rounding in its making explains.
    static func checkDefinite(_ eigen: SymmetricEigen) throws(RegressionError) {
        guard let least = eigen.values.first, let largest = eigen.values.last else { return }
        let allowed = 64 * Double(eigen.order).squareRoot() * .ulpOfOne * max(abs(largest), abs(least))
        guard least >= -max(allowed, 1e-9 * abs(largest)) else {
            throw .indefinite(leastEigenvalue: least, largestEigenvalue: largest)
        }
    }

    func solve(
        _ targets: Matrix<Double>, ridge: Double, eigen: SymmetricEigen?, _ options: RegressionOptions, on executor: any TileExecutor
    ) throws -> Solution {
        if let eigen { return try spectral(targets, eigen, ridge, on: executor) }
        if !options.needsFactor, options.isComplete != true, matrix.rows >= Self.mixedPrecisionFrom,
            let solution = try mixedPrecision(targets, ridge, on: executor)
        {
            return solution
        }
        let (first, reciprocal) = try factored(targets, ridge, jitter: 0, on: executor)
        if let first { return first }
        switch options.onSingular {
        case .refuse: throw RegressionError.singular(ridge: ridge, reciprocalCondition: reciprocal, jitter: 0)
        case .minimumNorm:
            restore()
            let eigen = try SymmetricEigen(inPlace: matrix.copy(), on: executor)
            try Self.checkDefinite(eigen)
            return try spectral(targets, eigen, ridge, on: executor)
        case .jitter:
            var jitter = diagonal.reduce(0, +) / Double(diagonal.count) * .ulpOfOne
            for _ in 0..<Self.jitterSteps {
                jitter *= 10
                if let solution = try factored(targets, ridge, jitter: jitter, on: executor).solution { return solution }
            }
            throw RegressionError.singular(ridge: ridge, reciprocalCondition: reciprocal, jitter: jitter)
        }
    }

    /// By Cholesky; nil, and the condition as far as it is known, if the system is singular to working precision.
    private func factored(
        _ targets: Matrix<Double>, _ ridge: Double, jitter: Double, on executor: any TileExecutor
    ) throws -> (solution: Solution?, reciprocalCondition: Double) {
        restore()
        let added = ridge + jitter
        let total = norm + added
        guard total.isFinite else { throw RegressionError.overflow }
        matrix.storeDiagonal(diagonal.map { $0 + added })
        let cholesky: Cholesky<Double>
        do {
            cholesky = try Cholesky(inPlace: matrix, norm: total, on: executor)
        } catch is NotPositiveDefinite {
            return (nil, 0)
        }
        let reciprocal = cholesky.reciprocalCondition
        guard reciprocal > Self.roundingMargin * .ulpOfOne else { return (nil, reciprocal) }
        let solver = SystemSolver.cholesky(cholesky)
        let refined = try refine(targets, solver, added, on: executor)
        let solution = Solution(
            coefficients: refined.coefficients, solver: solver, method: .cholesky, rank: matrix.rows, reciprocalCondition: reciprocal,
            logDeterminant: cholesky.logDeterminant, relativeResidual: refined.relativeResidual, jitter: jitter)
        return (solution, reciprocal)
    }

    /// By Cholesky in float32 and refinement; nil if that does not converge fast.
    private func mixedPrecision(_ targets: Matrix<Double>, _ ridge: Double, on executor: any TileExecutor) throws -> Solution? {
        let n = matrix.rows
        let total = norm + ridge
        guard total.isFinite, total < Double(Float.greatestFiniteMagnitude) / 4, total > 1e-20 else { return nil }
        let copy = Matrix<Float>(uninitializedRows: n, columns: n)
        copy.assign(matrix)
        copy.storeDiagonal(diagonal.map { $0 + ridge })
        let cholesky: Cholesky<Float>
        do {
            cholesky = try Cholesky(inPlace: copy, norm: Float(total), on: executor)
        } catch is NotPositiveDefinite {
            return nil
        }
        let reciprocal = cholesky.reciprocalCondition
        // Refinement gains a factor of about cond · 2⁻²⁴ a step.
        guard reciprocal > 10 * .ulpOfOne else { return nil }
        let solver = SystemSolver.singlePrecision(cholesky)
        let refined = try refine(targets, solver, ridge, on: executor)
        guard refined.hasConverged else { return nil }
        return Solution(
            coefficients: refined.coefficients, solver: solver, method: .mixedPrecision, rank: n, reciprocalCondition: Double(reciprocal),
            logDeterminant: nil, relativeResidual: refined.relativeResidual)
    }

    private func spectral(
        _ targets: Matrix<Double>, _ eigen: SymmetricEigen, _ ridge: Double, on executor: any TileExecutor
    ) throws -> Solution {
        let spectral = SpectralSolver(eigen, ridge: ridge)
        let solver = SystemSolver.spectral(spectral)
        let refined = try refine(targets, solver, ridge, on: executor)
        return Solution(
            coefficients: refined.coefficients, solver: solver, method: spectral.isSingular ? .minimumNorm : .eigendecomposition,
            rank: spectral.rank, reciprocalCondition: spectral.reciprocalCondition,
            logDeterminant: spectral.isSingular ? nil : spectral.logDeterminant, relativeResidual: refined.relativeResidual)
    }

    /// Solves, and corrects the solution by its own residual while that helps.
    private func refine(
        _ targets: Matrix<Double>, _ solver: SystemSolver, _ added: Double, on executor: any TileExecutor
    ) throws -> (coefficients: Matrix<Double>, relativeResidual: Double, hasConverged: Bool) {
        func residual(_ solution: Matrix<Double>) throws -> Matrix<Double> {
            guard solution.isFinite else { throw RegressionError.overflow }
            let residual = try matrix.residual(targets, solution, diagonal: diagonal, ridge: added, on: executor)
            guard residual.isFinite else { throw RegressionError.overflow }
            // What the pseudo-inverse cannot reach is not an error of the solution.
            guard case .spectral(let spectral) = solver, spectral.isSingular else { return residual }
            return residual.subtracting(try spectral.nullSpace(residual, on: executor).component)
        }
        var solution = try solver.solve(targets, on: executor)
        var rest = try residual(solution)
        var lastRatio = 1.0
        var hasConverged = false
        for _ in 0..<10 {
            let correction = try solver.solve(rest, on: executor)
            let ratio = correction.largestColumnRatio(to: solution)
            guard ratio < lastRatio / 2 else {
                hasConverged = ratio < 1e-14
                break
            }
            let better = solution.adding(correction)
            rest = try residual(better)
            solution = better
            // Each step multiplies the error by about the first ratio, so that its square is what is left.
            hasConverged = ratio * lastRatio < .ulpOfOne || ratio < 1e-8
            if hasConverged { break }
            lastRatio = ratio
        }
        return (solution, backwardError(rest, solution, targets, norm: norm + added), hasConverged)
    }

    private func backwardError(_ residual: Matrix<Double>, _ solution: Matrix<Double>, _ targets: Matrix<Double>, norm: Double) -> Double {
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

    /// Mirrors B from above the diagonal to where a factor may have been.
    private func restore() {
        matrix.mirrorUpperHalf()
        matrix.storeDiagonal(diagonal)
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
