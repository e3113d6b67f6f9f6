/// Why a regression has no answer.
public enum RegressionError: Error, Sendable, Equatable {
    /// K + λI is not positive definite to working precision, and that was to be an error, or jitter did not help.
    case singular(ridge: Double, reciprocalCondition: Double, jitter: Double)
    /// Every candidate for the ridge makes a singular system.
    case everyCandidateSingular
    /// A number of the kernel is beyond the range of float64.
    case kernelOverflow
    /// A number of the solution is beyond the range of float64.
    case overflow
    /// K + λI is not positive semi-definite: its least eigenvalue is below what rounding explains.
    case indefinite(leastEigenvalue: Double, largestEigenvalue: Double)
    /// A posterior variance is further below 0 than rounding explains: the kernel's values at this test point and the training points are not
    /// those of one kernel.
    case negativeVariance(test: Int, value: Double, prior: Double)
    /// A constant of a theory is beyond the range of float64.
    case theoryOverflow(samples: Double)
    /// Conjugate gradients did not reach the residual that was asked for.
    case noConvergence(iterations: Int, residual: Double)
}
