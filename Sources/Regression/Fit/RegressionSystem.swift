internal import LinearAlgebra

/// B + λI, scaled to unit diagonal by powers of two, so that no decision depends on units, and kept so that it can be factored in place: the
/// factor stands below the diagonal, D B D stays above it, and its diagonal beside.
struct RegressionSystem {
    private let matrix: Matrix<Double>
    private let ridge: Double
    private let scaling: UnitScaling
    /// Of D B D.
    private let diagonal: [Double]
    /// λ D²: what is added to it.
    private let shifts: [Double]
    /// ‖D B D‖₁.
    private let norm: Double
    /// Of B.
    private let meanDiagonal: Double

    /// Condition numbers beyond 1/(ε · this) are left to the pivots to decide.
    private static let roundingMargin = 4.0
    /// Steps of a ladder of jitters, from ε times the diagonal, each ten times the last.
    private static let jitterSteps = 13
    /// From this order on half the precision is tried first where the factor is not needed.
    private static let mixedPrecisionFrom = 1_024

    /// - Parameter matrix: B. It is destroyed.
    init(_ matrix: Matrix<Double>, ridge: Double, on executor: any TileExecutor) throws {
        (self.matrix, self.ridge) = (matrix, ridge)
        let own = matrix.diagonal
        meanDiagonal = own.reduce(0) { $0 + $1 / Double(own.count) }
        scaling = UnitScaling(diagonal: own.map { $0 + ridge })
        norm = try scaling.apply(to: matrix, on: executor)
        diagonal = matrix.diagonal
        shifts = scaling.exponents.map { ridge.scaled(by: -2 * $0) }
        guard norm.isFinite, shifts.allSatisfy(\.isFinite) else { throw RegressionError.kernelOverflow }
    }

    /// - Parameter targets: W^½ȳ.
    func solve(_ targets: Matrix<Double>, _ options: RegressionOptions, on executor: any TileExecutor) throws -> Solution {
        let scaled = ScaledTargets(targets, scaling)
        if !options.needsFactor, options.isComplete != true, matrix.rows >= Self.mixedPrecisionFrom,
            let solution = try mixedPrecision(scaled, on: executor)
        {
            return solution
        }
        let (first, reciprocal) = try factored(scaled, jitter: 0, on: executor)
        if let first { return first }
        restore(shifts)
        let pivoted: PivotedCholesky
        do {
            pivoted = try PivotedCholesky(matrix, noise: options.noise(matrix.rows), on: executor)
        } catch is Indefinite {
            throw try KernelJudge.indefinite(unscaled(added: 0, on: executor))
        }
        if pivoted.rank == matrix.rows {
            matrix.storeDiagonal(diagonal)
            let permuted = pivoted.cholesky(norm: norm + largestShift)
            return try solution(scaled, .permuted(permuted), permuted.cholesky, shifts, jitter: 0, on: executor)
        }
        switch options.onSingular {
        case .refuse: throw RegressionError.singular(ridge: ridge, reciprocalCondition: reciprocal, jitter: 0)
        case .minimumNorm: return try minimumNorm(targets, options, on: executor)
        case .jitter:
            var jitter = meanDiagonal * .ulpOfOne
            for _ in 0..<Self.jitterSteps {
                jitter *= 10
                if let solution = try factored(scaled, jitter: jitter, on: executor).solution { return solution }
            }
            throw RegressionError.singular(ridge: ridge, reciprocalCondition: reciprocal, jitter: jitter)
        }
    }

    private var largestShift: Double { shifts.max() ?? 0 }

    /// By Cholesky; nil, and the condition as far as it is known, if the system is singular to working precision.
    /// - Parameter jitter: the mean of what is added to the diagonal of B, to each element in proportion.
    private func factored(
        _ targets: ScaledTargets, jitter: Double, on executor: any TileExecutor
    ) throws -> (solution: Solution?, reciprocalCondition: Double) {
        var added = shifts
        if jitter > 0 {
            for (row, exponent) in scaling.exponents.enumerated() {
                // A row of zeros has no units of its own.
                added[row] += diagonal[row] > 0 ? jitter * (diagonal[row] / meanDiagonal) : jitter.scaled(by: -2 * exponent)
            }
        }
        restore(added)
        let total = norm + (added.max() ?? 0)
        let cholesky: Cholesky<Double>
        do {
            cholesky = try Cholesky(inPlace: matrix, norm: total, on: executor)
        } catch is NotPositiveDefinite {
            return (nil, 0)
        }
        let reciprocal = cholesky.reciprocalCondition
        guard reciprocal > Self.roundingMargin * .ulpOfOne else { return (nil, reciprocal) }
        return (try solution(targets, .cholesky(cholesky), cholesky, added, jitter: jitter, on: executor), reciprocal)
    }

    private func solution(
        _ targets: ScaledTargets, _ solver: SystemSolver, _ cholesky: Cholesky<Double>, _ added: [Double], jitter: Double,
        on executor: any TileExecutor
    ) throws -> Solution {
        let refined = try refinement(added).refine(targets.matrix, solver, on: executor)
        var solution = Solution(
            coefficients: refined.coefficients, targets: targets, solver: ScaledSolver(solver: solver, scaling: scaling), shifts: added,
            method: .cholesky, rank: matrix.rows, reciprocalCondition: cholesky.reciprocalCondition, relativeResidual: refined.relativeResidual)
        solution.logDeterminant = cholesky.logDeterminant + scaling.logDeterminant
        solution.jitter = jitter
        solution.refinement = refinement(added)
        return solution
    }

    /// By Cholesky in float32 and refinement; nil if that does not converge fast.
    private func mixedPrecision(_ targets: ScaledTargets, on executor: any TileExecutor) throws -> Solution? {
        let n = matrix.rows
        let total = norm + largestShift
        guard total.isFinite, total < Double(Float.greatestFiniteMagnitude) / 4, total > 1e-20 else { return nil }
        let copy = Matrix<Float>(uninitializedRows: n, columns: n)
        copy.assign(matrix)
        copy.storeDiagonal(zip(diagonal, shifts).map { $0 + $1 })
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
        let refined = try refinement(shifts).refine(targets.matrix, solver, on: executor)
        guard refined.hasConverged else { return nil }
        return Solution(
            coefficients: refined.coefficients, targets: targets, solver: ScaledSolver(solver: solver, scaling: scaling), shifts: shifts,
            method: .mixedPrecision, rank: n, reciprocalCondition: Double(reciprocal), relativeResidual: refined.relativeResidual)
    }

    /// Least squares over the modes that the pivots tell from 0. Which solution is least is a question of units: B is taken as it came, but for
    /// a power of two of the whole.
    private func minimumNorm(_ targets: Matrix<Double>, _ options: RegressionOptions, on executor: any TileExecutor) throws -> Solution {
        let uniform = UnitScaling.tame(zip(diagonal, scaling.exponents).map { ($0, 2 * $1) }, count: matrix.rows)
        let whole = try unscaled(added: ridge, to: uniform, on: executor)
        let own = whole.diagonal
        let definite = try KernelJudge.eigen(inPlace: whole.copy(), noise: options.noise(matrix.rows), on: executor)
        let spectral = SpectralSolver(definite)
        let norm = try whole.symmetricOneNorm(on: executor)
        let scaled = ScaledTargets(targets, uniform)
        let refined = try Refinement(matrix: whole, diagonal: own, shifts: own.map { _ in 0 }, norm: norm)
            .refine(scaled.matrix, .spectral(spectral), on: executor)
        return Solution(
            coefficients: refined.coefficients, targets: scaled, solver: ScaledSolver(solver: .spectral(spectral), scaling: uniform),
            shifts: uniform.exponents.map { ridge.scaled(by: -2 * $0) }, method: .minimumNorm, rank: spectral.rank,
            reciprocalCondition: spectral.reciprocalCondition, relativeResidual: refined.relativeResidual)
    }

    /// B + λI out of its scaling, both halves, in memory of its own.
    private func unscaled(added: Double, to target: UnitScaling? = nil, on executor: any TileExecutor) throws -> Matrix<Double> {
        let copy = matrix.copy()
        copy.storeDiagonal(diagonal)
        copy.mirrorUpperHalf()
        _ = try (target ?? UnitScaling(uniform: 0, count: copy.rows)).relative(to: scaling).apply(to: copy, on: executor)
        if added > 0 { copy.addToDiagonal(added.scaled(by: -2 * (target?.exponents.first ?? 0))) }
        return copy
    }

    private func refinement(_ added: [Double]) -> Refinement {
        Refinement(matrix: matrix, diagonal: diagonal, shifts: added, norm: norm + (added.max() ?? 0))
    }

    /// Mirrors D B D from above the diagonal to where a factor may have been, and adds to the diagonal.
    private func restore(_ added: [Double]) {
        matrix.mirrorUpperHalf()
        matrix.storeDiagonal(zip(diagonal, added).map { $0 + $1 })
    }
}
