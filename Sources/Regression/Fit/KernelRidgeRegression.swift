internal import Glibc
public import LinearAlgebra

/// Kernel ridge regression, which is the mean and covariance of a Gaussian process with noise λ, and, for the NTK and λ = 0, the mean of
/// infinitely wide networks trained to convergence:
///
///     α = (K + λI)⁻¹ y,   f(x*) = k(x*, X) α,   cov(x*, x*') = k(x*, x*') − k(x*, X) (K + λI)⁻¹ k(X, x*')
///
/// Rasmussen & Williams 2006, Algorithm 2.1. Equal points are merged exactly; the system is factored in place by Cholesky in float64 and the
/// solution refined with residuals in twice the precision; what is singular is solved by its eigenvectors, as `SingularPolicy` says. All that is
/// decided on the way is decided of the system scaled to unit diagonal, so that it does not depend on units. Nothing is added to the diagonal
/// but what was asked for.
public struct KernelRidgeRegression: Sendable {
    /// α [m, k] of the distinct points: f(x*) = Σ_g k(x*, x_g) α_g.
    public let scaledCoefficients: ScaledCoefficients
    /// Which points are distinct. Kernels with the training set are to be given for the representatives only.
    public let groups: DuplicateGroups
    public let diagnostics: Diagnostics
    /// y_i − f_{−i}(x_i) [n, k], if the diagnostics are complete.
    public let leaveOneOutResiduals: Matrix<Double>?
    /// Of each distinct point the leverage 1 − λ[(K + λI)⁻¹]_ii of one of the points that it stands for, if the diagnostics are complete.
    public let leverages: [Double]?
    /// [(B + λI)⁻¹]_gg of each distinct point, if the diagnostics are complete and the system is not singular.
    public let inverseDiagonal: [Double]?
    /// Nil for a fit that was restored, or solved by iteration.
    let factor: ScaledSolver?
    /// √B_ii, where there is a factor.
    let roots: [Double]
    private let panels: CoefficientPanels

    /// Whether there is a factor, without which there are no covariances.
    public var hasFactor: Bool {
        if case .singlePrecision = factor?.solver { false } else { factor != nil }
    }

    /// α as they are; some may be beyond the range of float64.
    public var coefficients: Matrix<Double> { scaledCoefficients.plain }

    /// A fit whose coefficients are known, for means alone.
    public init(coefficients: ScaledCoefficients, groups: DuplicateGroups, diagnostics: Diagnostics) {
        precondition(coefficients.matrix.rows == groups.groupCount)
        scaledCoefficients = coefficients
        self.groups = groups
        self.diagnostics = diagnostics
        leaveOneOutResiduals = nil
        leverages = nil
        inverseDiagonal = nil
        factor = nil
        roots = []
        panels = CoefficientPanels(coefficients.matrix)
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
        scaledCoefficients = fit.coefficients
        diagnostics = fit.diagnostics
        leaveOneOutResiduals = fit.leaveOneOut
        leverages = fit.leverages
        inverseDiagonal = fit.inverseDiagonal
        factor = fit.solver
        roots = fit.roots
        panels = CoefficientPanels(fit.coefficients.matrix)
    }

    var solver: ScaledSolver {
        guard let factor else { preconditionFailure("a fit without a factor has no covariance") }
        return factor
    }

    /// f(x*) [t, k] from k(x*, X) [t, m]. A row's result does not depend on the others, bit for bit.
    public func mean(_ testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        guard let units = scaledCoefficients.units else { return try panels.product(testTrain, on: executor) }
        let scaled = Matrix(
            rows: testTrain.rows, columns: testTrain.columns,
            testTrain.elements.enumerated().map { index, value in
                value.scaled(by: units.rows[index % testTrain.columns])
            })
        let product = try panels.product(scaled, on: executor)
        return Matrix(
            rows: product.rows, columns: product.columns,
            product.elements.enumerated().map { index, value in
                value.scaled(by: units.columns[index % product.columns])
            })
    }

    /// √ Σ e 4^u, where squares may leave the range of float64.
    static func length(_ energies: [Double], units: [Int]) -> Double {
        let roots = zip(energies, units).map { max($0, 0).squareRoot().scaled(by: $1) }
        guard let largest = roots.max(), largest > 0, largest.isFinite else { return roots.max() ?? 0 }
        return largest * roots.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    }

    /// k(x*, X) W^½, which meets B as k(x*, X) meets K.
    func scaled(_ testTrain: Matrix<Double>) -> Matrix<Double> {
        guard groups.mergedCount > 0 else { return testTrain }
        let copy = testTrain.copy()
        copy.scaleColumns(groups.roots)
        return copy
    }
}
