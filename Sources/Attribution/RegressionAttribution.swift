internal import Glibc
package import LinearAlgebra
package import NTK

/// What each training point of a kernel ridge regression does to it, exactly, without a refit.
///
/// With G = (K + λI)⁻¹, α = G y and S = k(x*, X) G, removing point i changes a prediction by
///
///     f(x*) − f₋ᵢ(x*) = S_*i rᵢ,   rᵢ = αᵢ/Gᵢᵢ = yᵢ − f₋ᵢ(xᵢ)
///
/// (Rasmussen & Williams 2006, eq. 5.12; Cook & Weisberg 1982). Equal points are merged: of w points in one place each has S_*i = V_*g/w, where
/// V is the map from mean targets to predictions, and its removal leaves w − 1 points with the mean of their targets. Where the kernel tells
/// outputs apart, a point is all its rows, which are removed together: αᵢ is a vector and Gᵢᵢ a block.
package struct RegressionAttribution: Sendable {
    package let regression: KernelRidgeRegression
    /// Rows of the kernel that one point has.
    package let rowsPerPoint: Int
    /// yᵢ − f₋ᵢ(xᵢ) [n, k]: how far the point's own target is from what the others predict.
    package let selfInfluence: Matrix<Double>
    /// 1 − λGᵢᵢ [n]: what the fit at the point takes from its own target; where outputs are told apart, the trace of the block.
    package let leverages: [Double]
    /// log p(yᵢ | the others) [n] of the Gaussian process, outputs together; nil where it is not finite.
    package let logPredictive: [Double?]
    /// y − Sȳ in the kernel's rows.
    let deviations: Matrix<Double>
    /// What V_*g is multiplied by for what a prediction loses without the point, and for what the point's target contributes to it: [n, k], or
    /// [n · k, 1] where outputs are told apart.
    let removals, contributions: Matrix<Double>

    package var count: Int { selfInfluence.rows }
    package var outputs: Int { selfInfluence.columns }
    var ridge: Double { regression.diagnostics.ridge + regression.diagnostics.jitter }

    /// - Parameters:
    ///   - regression: a fit with its factor; of a singular system, with complete diagnostics.
    ///   - targets: y [n, k] less f₀, as points have them.
    ///   - areOutputsApart: whether the kernel's rows are all outputs of all points, in the order point, output.
    /// - Throws: `RegressionError.singular` where outputs are told apart and K + λI is singular, or there are equal points in a system that
    ///   was given jitter.
    /// - Time: n k where diagnostics are complete, else m³/3; where outputs are told apart m³ for the blocks of G.
    package init(
        _ regression: KernelRidgeRegression, targets: Matrix<Double>, areOutputsApart: Bool, on executor: any TileExecutor
    ) throws {
        self.regression = regression
        let (n, k) = (targets.rows, targets.columns)
        rowsPerPoint = areOutputsApart ? k : 1
        let rows = areOutputsApart ? targets.reshaped(rows: n * k, columns: 1) : targets
        let groups = regression.groups
        let shares = groups.group.map { 1 / groups.multiplicities[$0] }
        deviations = groups.deviations(rows)
        contributions = rows.copy()
        contributions.scaleRows(shares)
        let diagnostics = regression.diagnostics
        if diagnostics.jitter > 0, groups.mergedCount > 0 { throw Self.singular(regression) }
        if areOutputsApart {
            guard !regression.isSingular else { throw Self.singular(regression) }
            let blocks = try BlockRemovals(regression, deviations: deviations, size: k, on: executor)
            (removals, selfInfluence, leverages, logPredictive) = (
                blocks.steps, blocks.residuals.reshaped(rows: n, columns: k), blocks.leverages, blocks.logPredictive
            )
            return
        }
        let ridge = diagnostics.ridge + diagnostics.jitter
        let inverse: [Double]?
        if let residuals = regression.leaveOneOutResiduals, let own = regression.leverages {
            (selfInfluence, inverse) = (residuals, regression.inverseDiagonal)
            leverages = groups.group.map { own[$0] }
        } else {
            guard !regression.isSingular else { throw Self.singular(regression) }
            let own = try regression.inverseDiagonal(on: executor)
            selfInfluence = Self.residuals(regression, deviations, own, ridge)
            leverages = groups.group.map { (1 - ridge * own[$0]) / groups.multiplicities[$0] }
            inverse = own
        }
        removals = selfInfluence.copy()
        removals.scaleRows(shares)
        logPredictive = (0..<n).map { [selfInfluence] point in
            let group = groups.group[point]
            guard let inverse = inverse?[group] else { return nil }
            let w = groups.multiplicities[group]
            return Self.logDensity(selfInfluence.row(point), precision: inverse / w + (w > 1 ? (1 - 1 / w) / ridge : 0))
        }
    }

    /// αᵢ/Gᵢᵢ from the diagonal of (B + λI)⁻¹, of equal points with numerator and denominator times λ.
    private static func residuals(
        _ regression: KernelRidgeRegression, _ deviations: Matrix<Double>, _ inverse: [Double], _ ridge: Double
    ) -> Matrix<Double> {
        let (groups, k, coefficients) = (regression.groups, deviations.columns, regression.coefficients)
        let result = Matrix<Double>(uninitializedRows: deviations.rows, columns: k)
        for (point, group) in groups.group.enumerated() {
            let w = groups.multiplicities[group]
            for output in 0..<k {
                let alpha = coefficients[group, output]
                let residual =
                    w == 1
                    ? alpha / inverse[group] : (ridge * alpha / w + deviations[point, output]) / (ridge * inverse[group] / w + 1 - 1 / w)
                result.storage.set(point * k + output, residual)
            }
        }
        return result
    }

    /// log N(r; 0, I/precision).
    private static func logDensity(_ residuals: [Double], precision: Double) -> Double? {
        let sum = residuals.reduce(0) { $0 + (log(precision / (2 * .pi)) - $1 * $1 * precision) / 2 }
        return sum.isFinite ? sum : nil
    }

    static func singular(_ regression: KernelRidgeRegression) -> RegressionError {
        let diagnostics = regression.diagnostics
        return .singular(ridge: diagnostics.ridge, reciprocalCondition: diagnostics.reciprocalCondition ?? 0, jitter: diagnostics.jitter)
    }
}
