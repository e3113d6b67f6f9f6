internal import Glibc

/// E(n) = E_0 n^−b through measured errors, by least squares of logarithms weighted by their standard errors: where eigenvalues and
/// coefficients fall as powers of their index, so does the expected error of ridge regression (Spigler, Geiger, Wyart 2020, arXiv 1905.10843).
package struct PowerLaw: Sendable {
    /// b, positive where more samples help.
    package let exponent: Double
    private let intercept: Double
    /// The center of the fit on the axis log n, the variances there and of the slope, and what all measurements share.
    private let center: Double
    private let (variance, slopeVariance, shared): (Double, Double, Double)

    /// Nil without two sizes with errors above 0.
    package init?(_ measurements: [LeaveOneOutSizes.Measurement]) {
        let used = measurements.filter { $0.error > 0 && $0.error.isFinite }
        guard used.count >= 2 else { return nil }
        let x = used.map { log(Double($0.samples)) }
        let y = used.map { log($0.error) }
        // A subset of few points varies less than its size says; no weight is more than a hundred times another.
        let deviations = used.map { max($0.standardError / $0.error, 1e-3) }
        let weights = deviations.map { 1 / ($0 * $0) }
        let total = weights.reduce(0, +)
        let center = zip(weights, x).reduce(0) { $0 + $1.0 * $1.1 } / total
        let mean = zip(weights, y).reduce(0) { $0 + $1.0 * $1.1 } / total
        let spread = zip(weights, x).reduce(0) { $0 + $1.0 * ($1.1 - center) * ($1.1 - center) }
        guard spread > 0 else { return nil }
        var covariance = 0.0
        for index in x.indices { covariance += weights[index] * (x[index] - center) * (y[index] - mean) }
        let slope = covariance / spread
        var residual = 0.0
        for index in x.indices {
            let off = y[index] - mean - slope * (x[index] - center)
            residual += weights[index] * off * off
        }
        let inflation = max(1, residual / Double(max(used.count - 2, 1)))
        self.center = center
        exponent = -slope
        intercept = mean
        variance = inflation / total
        slopeVariance = inflation / spread
        // The sample itself is one of many.
        shared = (deviations.last ?? 0) * (deviations.last ?? 0)
    }

    package func error(_ samples: Double) -> Double { exp(intercept - exponent * (log(samples) - center)) }

    /// The factor by which the error may be off either way, at two standard deviations.
    package func factor(_ samples: Double) -> Double {
        let distance = log(samples) - center
        return exp(2 * (variance + slopeVariance * distance * distance + shared).squareRoot())
    }
}
