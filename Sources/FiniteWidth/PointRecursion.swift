/// The recursion of one point with itself, where everything closes on single numbers.
struct PointRecursion: Sendable {
    /// Variance and tangent kernel in the limit, before the layer that is next.
    private(set) var k: Double
    private(set) var theta: Double
    /// Coefficients of 1/n; see `PairRecursion`.
    private(set) var k1 = 0.0
    private(set) var theta1 = 0.0
    private(set) var v = 0.0
    private(set) var d = 0.0
    private(set) var f = 0.0
    private(set) var a = 0.0
    private(set) var b = 0.0

    init(product: Double, _ weights: AffineWeights) {
        k = weights.weightVariance * product + weights.biasVariance
        theta = weights.weightRate * product + weights.biasRate
    }

    /// - Parameter ratio: the width of the hidden layer in units of n.
    mutating func step(_ weights: AffineWeights, _ m: PointMoments, ratio: Double) {
        let (c, rate) = (weights.weightVariance, weights.weightRate)
        let square = c * c
        let omega = (rate * m.ss.0 + c * theta * m.dd.0, rate * m.ss.1 + c * theta * m.dd.1, rate * m.ss.2 + c * theta * m.dd.2)
        let sOmega = rate * m.s4 + c * theta * m.s2d2
        let omega2 = rate * rate * m.s4 + 2 * rate * c * theta * m.s2d2 + square * theta * theta * m.d4

        let newTheta1 =
            omega.1 * k1 + omega.2 * v / 2 + c * (m.dd.1 * d + 2 * m.dd.1 * f + m.dd.0 * theta1)
        let newK1 = c * (m.ss.1 * k1 + m.ss.2 * v / 2)
        let newA =
            (omega2 - omega.0 * omega.0) / ratio + omega.1 * omega.1 * v + 2 * c * omega.1 * d * m.dd.0 + square * m.dd.0 * m.dd.0 * a
        let newB = square * (m.d4 * theta * theta / ratio + m.dd.0 * m.dd.0 * b)
        let newD = c * ((sOmega - m.ss.0 * omega.0) / ratio + m.ss.1 * v * omega.1) + square * m.ss.1 * d * m.dd.0
        let newF = square * (m.s2d2 * theta / ratio + m.slope * f * m.slope)
        v = square * ((m.s4 - m.ss.0 * m.ss.0) / ratio + m.ss.1 * v * m.ss.1)
        (k1, theta1, a, b, d, f) = (newK1, newTheta1, newA, newB, newD, newF)
        k = weights.biasVariance + c * m.ss.0
        theta = weights.biasRate + omega.0
    }
}
