internal import Glibc

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
    /// E₀ ≥ 1; nil where it is infinite.
    public let overfitting: Double?
    /// E_test, the mean squared error with noise; nil where it is infinite.
    public let testError: Double?
    /// The mean squared error on the n points, (δ/(n κ))² E_test.
    public let trainError: Double?

    /// - Parameters:
    ///   - eigenvalues: λ_i of the operator, that is, of a Gram matrix divided by its size.
    ///   - powers: v_i², likewise divided.
    ///   - samples: n > 0.
    ///   - ridge: δ ≥ 0.
    ///   - noise: σ² ≥ 0.
    public init(eigenvalues: [Double], powers: [Double], samples: Double, ridge: Double, noise: Double) {
        let values = eigenvalues.map { max($0, 0) }
        let kappa = Self.solve(values, samples, ridge)
        let learnability = values.map { $0 > 0 ? $0 / ($0 + kappa) : 0 }
        let free = samples - learnability.reduce(0) { $0 + $1 * $1 }
        let overfitting = free > 1e-12 * samples ? samples / free : nil
        let bias = zip(learnability, powers).reduce(0) { $0 + (1 - $1.0) * (1 - $1.0) * $1.1 }
        constant = kappa
        self.learnability = learnability
        self.overfitting = overfitting
        // Everything is learned and there is no noise: no error, however large E₀.
        testError = bias + noise == 0 ? 0 : overfitting.map { $0 * (bias + noise) }
        let shrinkage = kappa > 0 ? ridge / (samples * kappa) : 0
        trainError = testError.map { shrinkage * shrinkage * $0 }
    }

    /// κ by bisection on its logarithm: the left side falls from the number of modes (or ∞) to 0.
    private static func solve(_ values: [Double], _ samples: Double, _ ridge: Double) -> Double {
        func excess(_ kappa: Double) -> Double { values.reduce(ridge / kappa) { $0 + ($1 > 0 ? $1 / ($1 + kappa) : 0) } - samples }
        let modes = Double(values.count { $0 > 0 })
        if ridge == 0 && modes <= samples { return 0 }
        var high = max(values.reduce(0, +) + ridge, .leastNormalMagnitude) / samples * 2
        while excess(high) > 0 { high *= 2 }
        var low = high
        while excess(low) < 0, low > .leastNormalMagnitude { low /= 16 }
        for _ in 0..<200 {
            let middle = low.squareRoot() * high.squareRoot()
            if middle <= low || middle >= high { break }
            if excess(middle) > 0 { low = middle } else { high = middle }
        }
        return low.squareRoot() * high.squareRoot()
    }
}
