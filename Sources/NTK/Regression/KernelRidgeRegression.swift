internal import Glibc
public import LinearAlgebra

/// Kernel ridge regression, which is the mean and covariance of a Gaussian process with noise λ, and, for the NTK and λ = 0, the mean of
/// infinitely wide networks trained to convergence:
///
///     α = (K + λI)⁻¹ y,   f(x*) = k(x*, X) α,   cov(x*, x*') = k(x*, x*') − k(x*, X) (K + λI)⁻¹ k(X, x*')
///
/// Rasmussen & Williams 2006, Algorithm 2.1. Equal points are merged exactly; the system is factored in place by Cholesky in float64 and the
/// solution refined with residuals in twice the precision; what is singular is solved by its eigenvectors, as `SingularPolicy` says. Nothing
/// is added to the diagonal but what was asked for.
public struct KernelRidgeRegression: Sendable {
    /// α [m, k] of the distinct points: f(x*) = Σ_g k(x*, x_g) α_g.
    public let coefficients: Matrix<Double>
    /// Which points are distinct. Kernels with the training set are to be given for the representatives only.
    public let groups: DuplicateGroups
    public let diagnostics: Diagnostics
    /// y_i − f_{−i}(x_i) [n, k], if the diagnostics are complete.
    public let leaveOneOutResiduals: Matrix<Double>?
    /// Nil for a fit that was restored, or solved by iteration.
    let factor: SystemSolver?
    private let panels: CoefficientPanels

    /// Whether there is a factor, without which there are no covariances.
    public var hasFactor: Bool {
        if case .singlePrecision = factor { false } else { factor != nil }
    }

    /// A fit whose coefficients are known, for means alone.
    public init(coefficients: Matrix<Double>, groups: DuplicateGroups, diagnostics: Diagnostics) {
        precondition(coefficients.rows == groups.groupCount)
        self.coefficients = coefficients
        self.groups = groups
        self.diagnostics = diagnostics
        leaveOneOutResiduals = nil
        factor = nil
        panels = CoefficientPanels(coefficients)
    }

    /// Fits the targets.
    /// - Parameters:
    ///   - kernel: K [m, m] of the distinct points, symmetric, finite, m ≥ 1. It is destroyed.
    ///   - groups: which points are equal; nil if none are.
    ///   - targets: y [n, k], finite.
    /// - Throws: `RegressionError`; what the executor throws.
    /// - Time: m³/3 for the factor, and m³/3 for complete diagnostics; a selection of the ridge 4m³/3 more (GCV, likelihood) or 9m³/2
    ///   (leave-one-out). Memory: nothing beside the kernel, but for a selection or a singular system two more m × m matrices.
    public init(
        inPlace kernel: Matrix<Double>, groups: DuplicateGroups? = nil, targets: Matrix<Double>, options: RegressionOptions,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        let groups = groups ?? DuplicateGroups(distinct: kernel.rows)
        precondition(kernel.rows == kernel.columns && kernel.rows == groups.groupCount && kernel.rows > 0)
        precondition(targets.rows == groups.pointCount && targets.columns > 0)
        let fit = try RegressionFit(kernel, groups, targets, options, on: executor)
        self.groups = groups
        coefficients = fit.coefficients
        diagnostics = fit.diagnostics
        leaveOneOutResiduals = fit.leaveOneOut
        factor = fit.solver
        panels = CoefficientPanels(coefficients)
    }

    var solver: SystemSolver {
        guard let factor else { preconditionFailure("a fit without a factor has no covariance") }
        return factor
    }

    /// f(x*) [t, k] from k(x*, X) [t, m]. A row's result does not depend on the others, bit for bit.
    public func mean(_ testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        try panels.product(testTrain, on: executor)
    }

    /// k(x*, X) W^½, which meets B as k(x*, X) meets K.
    func scaled(_ testTrain: Matrix<Double>) -> Matrix<Double> {
        guard groups.mergedCount > 0 else { return testTrain }
        let copy = testTrain.copy()
        copy.scaleColumns(groups.roots)
        return copy
    }
}
