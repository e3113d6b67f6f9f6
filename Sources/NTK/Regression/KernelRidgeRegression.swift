public import LinearAlgebra

/// Kernel ridge regression, which is the mean and covariance of a Gaussian process with noise λ, and, for the NTK and λ = 0, the mean of
/// infinitely wide networks trained to convergence:
///
///     α = (K + λI)⁻¹ y,   f(x*) = k(x*, X) α,   cov(x*, x*') = k(x*, x*') − k(x*, X) (K + λI)⁻¹ k(X, x*')
///
/// Rasmussen & Williams 2006, Algorithm 2.1. Solved by Cholesky in float64 with one step of iterative refinement; nothing is added to the
/// diagonal but the ridge that was asked for.
public struct KernelRidgeRegression: Sendable {
    /// α [n, k].
    public let coefficients: Matrix<Double>
    public let diagnostics: Diagnostics
    private let cholesky: Cholesky

    /// Fits the targets.
    /// - Parameters:
    ///   - kernel: K [n, n], symmetric and finite, n ≥ 1.
    ///   - targets: y [n, k], finite.
    ///   - ridge: λ ≥ 0.
    /// - Throws: `RegressionError.singular` if K + λI cannot be solved in float64; what the executor throws.
    /// - Time: n³/3 for the factor and n³/3 for the leave-one-out residuals. Memory: one more n × n matrix.
    public init(kernel: Matrix<Double>, targets: Matrix<Double>, ridge: Double, on executor: any TileExecutor = ConcurrentTiles()) throws {
        precondition(kernel.rows == kernel.columns && kernel.rows == targets.rows && kernel.rows > 0 && ridge >= 0)
        let system = kernel.copy()
        system.addToDiagonal(ridge)
        guard (0..<system.rows).allSatisfy({ system[$0, $0].isFinite }) else { throw RegressionError.overflow }
        do {
            cholesky = try Cholesky(inPlace: system, on: executor)
        } catch is Cholesky.NotPositiveDefinite {
            throw RegressionError.singular(ridge: ridge, reciprocalCondition: 0)
        }
        let reciprocalCondition = cholesky.reciprocalCondition
        guard reciprocalCondition >= .ulpOfOne else {
            throw RegressionError.singular(ridge: ridge, reciprocalCondition: reciprocalCondition)
        }
        let solution = cholesky.solve(targets)
        let correction = cholesky.solve(try Self.residual(kernel, ridge, solution, targets, on: executor))
        coefficients = solution.adding(correction)
        let residual = try Self.residual(kernel, ridge, coefficients, targets, on: executor)
        guard coefficients.isFinite, residual.isFinite else { throw RegressionError.overflow }
        diagnostics = Diagnostics(
            coefficients: coefficients, targets: targets, residual: residual, ridge: ridge, cholesky: cholesky,
            reciprocalCondition: reciprocalCondition, inverseDiagonal: try cholesky.inverseDiagonal(on: executor))
    }

    /// f(x*) [m, k] from k(x*, X) [m, n].
    public func mean(_ testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        try testTrain.multiply(coefficients, on: executor)
    }

    /// The posterior variance of f at each test point from k(x*, X) [m, n] and k(x*, x*) [m]; never negative. m n² operations.
    public func variance(
        _ testTrain: Matrix<Double>, diagonal: [Double], on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> [Double] {
        let explained = try cholesky.whiten(testTrain, on: executor).rowSquares
        return zip(diagonal, explained).map { max($0 - $1, 0) }
    }

    /// The posterior covariance [m, m] of f from k(x*, X) [m, n] and k(x*, x*') [m, m]; symmetric, its diagonal never negative.
    public func covariance(
        _ testTrain: Matrix<Double>, testTest: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Double> {
        let covariance = try testTest.subtractingGram(of: cholesky.whiten(testTrain, on: executor), on: executor)
        covariance.storeDiagonal((0..<covariance.rows).map { max(covariance[$0, $0], 0) })
        return covariance
    }

    /// y − (K + λI) α.
    private static func residual(
        _ kernel: Matrix<Double>, _ ridge: Double, _ coefficients: Matrix<Double>, _ targets: Matrix<Double>, on executor: any TileExecutor
    ) throws -> Matrix<Double> {
        let product = try kernel.multiply(coefficients, on: executor)
        return targets.combining(product, coefficients) { target, product, coefficient in target - (product + ridge * coefficient) }
    }
}
