internal import Glibc
internal import LinearAlgebra

/// The expected test error of kernel ridge regression on n points drawn at random, from the spectrum alone (Simon, Dickens, Karkada,
/// DeWeese 2021, arXiv 2110.03922, eqs. 5–8). With λ_i the eigenvalues of the kernel's operator, v_i the target's coefficients, δ the ridge
/// and σ² the noise:
///
///     Σ λ_i/(λ_i + κ) + δ/κ = n,   L_i = λ_i/(λ_i + κ),   E₀ = n/(n − Σ L_i²),   E_test = E₀ (Σ (1 − L_i)² v_i² + σ²)
public struct Eigenlearning: Sendable {
    /// κ: modes well above it are learned.
    public let constant: Double
    /// L_i, 0 to 1, in the order of the eigenvalues.
    public let learnability: [Double]
    /// E₀ ≥ 1; nil where it is infinite, or beyond the range of float64.
    public let overfitting: Double?
    /// E_test, the mean squared error with noise; nil where it is infinite, or beyond the range of float64.
    public let testError: Double?
    /// The mean squared error on the n points, (δ/(n κ))² E_test.
    public let trainError: Double?

    /// - Parameters:
    ///   - eigenvalues: λ_i of the operator, that is, of a Gram matrix divided by its size.
    ///   - coefficients: v_i, of several outputs the root of the sum of squares, in units of 2^`unit`.
    ///   - samples: n > 0.
    ///   - ridge: δ ≥ 0.
    ///   - noise: σ² ≥ 0.
    /// - Throws: `RegressionError.theoryOverflow` if κ is beyond the range of float64.
    public init(
        eigenvalues: [Double], coefficients: [Double], unit: Int = 0, samples: Double, ridge: Double, noise: Double
    ) throws(RegressionError) {
        let values = eigenvalues.map { max($0, 0) }
        let kappa = try Self.solve(values, samples, ridge)
        // κ/λ: what is left of L, without cancellation where it is nearly 1.
        let learnability = values.map { $0 > 0 ? 1 / (1 + kappa / $0) : 0 }
        let unlearned = values.map { $0 > 0 ? (kappa / $0 < 1 ? kappa / $0 / (1 + kappa / $0) : 1 / (1 + $0 / kappa)) : 1 }
        let modes = Double(values.count { $0 > 0 })
        // n − Σ L² = Σ L (1 − L) + δ/κ, a sum of positive terms.
        let free = kappa > 0 ? zip(learnability, unlearned).reduce(ridge / kappa) { $0 + $1.0 * $1.1 } : samples - modes
        let overfitting = free > 0 && (samples / free).isFinite ? samples / free : nil
        var bias = 0.0
        for (left, coefficient) in zip(unlearned, coefficients) { bias += left * coefficient * (left * coefficient) }
        constant = kappa
        self.learnability = learnability
        self.overfitting = overfitting
        // Everything is learned and there is no noise: no error, however large E₀.
        let test = bias + noise == 0 ? 0 : overfitting.map { ($0 * bias).scaled(by: 2 * unit) + $0 * noise }
        testError = test.flatMap { $0.isFinite ? $0 : nil }
        let shrinkage = kappa > 0 ? min(ridge / kappa / samples, 1) : 0
        trainError = testError.map { shrinkage * (shrinkage * $0) }
    }

    /// κ by bisection of the numbers in their order: the left side falls from the number of modes (or ∞) to 0.
    private static func solve(_ values: [Double], _ samples: Double, _ ridge: Double) throws(RegressionError) -> Double {
        /// What is learned by more than half counts as 1 less its complement: where there are as many modes as samples the ones cancel.
        func excess(_ kappa: Double) -> Double {
            var (sum, ones) = (ridge / kappa, 0.0)
            for value in values where value > 0 {
                if kappa < value {
                    ones += 1
                    sum -= kappa / value / (1 + kappa / value)
                } else {
                    sum += 1 / (1 + kappa / value)
                }
            }
            return sum + (ones - samples)
        }
        let modes = Double(values.count { $0 > 0 })
        if ridge == 0 && modes <= samples { return 0 }
        var (low, high) = (UInt64(0), Double.greatestFiniteMagnitude.bitPattern)
        guard excess(.greatestFiniteMagnitude) <= 0 else { throw .theoryOverflow(samples: samples) }
        // Less than 64 steps.
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if excess(Double(bitPattern: middle)) > 0 { low = middle } else { high = middle }
        }
        return Double(bitPattern: high)
    }
}
