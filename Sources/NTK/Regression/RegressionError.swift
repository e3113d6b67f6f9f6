/// Why a regression has no answer.
public enum RegressionError: Error, Sendable, Equatable {
    /// K + λI is not positive definite, or has lost all digits: `reciprocalCondition` is 0, or below the rounding unit of float64.
    case singular(ridge: Double, reciprocalCondition: Double)
    /// A number of the solution is beyond the range of float64.
    case overflow
}
