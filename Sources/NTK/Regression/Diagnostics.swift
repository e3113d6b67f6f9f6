import Foundation
import LinearAlgebra

/// What a fit says of itself.
public struct Diagnostics: Sendable {
    /// λ, as it was added to the diagonal.
    public let ridge: Double
    /// An estimate of 1 / cond₁(K + λI).
    public let reciprocalCondition: Double
    /// ‖y − (K + λI)α‖ / (‖K + λI‖ ‖α‖ + ‖y‖) in the largest-column-sum norm: the backward error of the solution.
    public let relativeResidual: Double
    /// log p(y) of the Gaussian process, summed over outputs: −½ yᵀα − ½ log det(K + λI) − (n/2) log 2π each.
    public let logMarginalLikelihood: Double
    /// The mean over points and outputs of the squared leave-one-out residual α_i / [(K + λI)⁻¹]_ii.
    public let leaveOneOutError: Double
    /// ‖f‖ = √(Σ αᵀKα), summed over outputs, in the kernel's Hilbert space.
    public let rkhsNorm: Double
    /// tr K (K + λI)⁻¹: how many degrees of freedom the fit uses.
    public let effectiveDimension: Double

    init(
        coefficients: Matrix<Double>, targets: Matrix<Double>, residual: Matrix<Double>, ridge: Double, cholesky: Cholesky,
        reciprocalCondition: Double, inverseDiagonal: [Double]
    ) {
        let (n, outputs) = (targets.rows, targets.columns)
        var fit = [Double](repeating: 0, count: outputs)
        var norm = 0.0
        var leaveOneOut = 0.0
        var backward = 0.0
        for output in 0..<outputs {
            var sums = (residual: 0.0, coefficients: 0.0, targets: 0.0)
            for point in 0..<n {
                let alpha = coefficients[point, output]
                fit[output] += targets[point, output] * alpha
                // αᵀKα = αᵀ(y − λα), as Kα = y − λα.
                norm += alpha * (targets[point, output] - ridge * alpha)
                leaveOneOut += (alpha / inverseDiagonal[point]).squared
                sums.residual += abs(residual[point, output])
                sums.coefficients += abs(alpha)
                sums.targets += abs(targets[point, output])
            }
            let scale = cholesky.norm * sums.coefficients + sums.targets
            if scale > 0 { backward = max(backward, sums.residual / scale) }
        }
        self.ridge = ridge
        self.reciprocalCondition = reciprocalCondition
        relativeResidual = backward
        let logDeterminant = cholesky.logDeterminant
        logMarginalLikelihood = fit.reduce(0) { $0 - ($1 + logDeterminant + Double(n) * log(2 * .pi)) / 2 }
        leaveOneOutError = leaveOneOut / Double(n * outputs)
        rkhsNorm = max(norm, 0).squareRoot()
        effectiveDimension = Double(n) - ridge * inverseDiagonal.reduce(0, +)
    }
}
