import Glibc
import LinearAlgebra

/// Duals whose logarithms are simple, so that the gap comes from them.
package enum ExponentialDuals {
    /// K = √(q1 q2) exp(γ (c + shift)): 1 − c' = 1 − exp(−γ (1 − c)).
    package static func expNormalized(_ gamma: Double, _ shift: Double, _ pair: GaussianPair) -> DualPair {
        let factor = Glibc.exp(gamma * (pair.cosine + shift))
        return DualPair(covariance: pair.product * factor, derivative: gamma * factor, gap: -expm1(-gamma * pair.below))
    }

    /// K = a² exp(b² E(u+v)²/2): 1 − c' = 1 − exp(−b² E(u−v)²/2).
    package static func exp(_ a: Double, _ b: Double, _ pair: GaussianPair) -> DualPair {
        // The root first: b² may be beyond the range of numbers where b² q is not.
        func exponent(_ side: Double) -> Double { (b * pair.rootDifference).squared / 2 + (b * pair.a1) * (b * pair.a2) * side }
        let value = a * a * Glibc.exp(exponent(pair.above))
        return DualPair(covariance: value, derivative: b * b * value, gap: -expm1(-exponent(pair.below)))
    }

    /// φ(u) = a exp(b u²) with x = −2 b q: K = a² √(g1 g2) / s; (c')⁴ = 1 − y with
    /// y s⁴ = (g1 g2 (x1 − x2))² + 2 x̂1 x̂2 (1 − c²) (g1 + g2 − g1 g2 + x̂1 x̂2 (1 − c²) / 2). K is infinite from 4 b q = 1 on.
    package static func gaussian(_ a: Double, _ b: Double, _ pair: GaussianPair) -> DualPair {
        let (x1, x2) = (-2 * b * pair.q1, -2 * b * pair.q2)
        guard 1 + 2 * x1 > 0, 1 + 2 * x2 > 0 else { return DualPair(covariance: .infinity, derivative: .infinity, gap: 0) }
        let (g1, g2) = (1 / (1 + x1), 1 / (1 + x2))
        let apart = (x1 * g1) * (x2 * g2) * (pair.near * (2 - pair.near))
        let sum = g1 + (g2 - g1 * g2)
        let square = sum + apart
        let value = a * a * (g1.squareRoot() * g2.squareRoot() / square.squareRoot())
        let slope = (2 * abs(b)) * (pair.a1 * g1) * (pair.a2 * g2) / square * pair.cosine * value * (2 * abs(b))
        // (x1 − x2) g1 g2, with the larger factor first.
        let difference = -2 * b * (pair.rootDifference * (pair.a1 + pair.a2)) * g1 * g2 / square
        let y = difference.squared + 2 * (apart / square) * ((sum + apart / 2) / square)
        // Far from coinciding 1 − y is what has no digits.
        return DualPair(covariance: value, derivative: slope, gap: y < 0.5 ? -expm1(log1p(-y) / 4) : .nan)
    }
}
