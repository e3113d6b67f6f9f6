import Glibc
import LinearAlgebra

/// Duals in closed form.
///
/// Where the angle behind φ depends on the angle before it alone (homogeneous functions), and for exponentials, the gap has a formula without
/// cancellation. For the others it is taken from the cosine, and where that leaves fewer digits than the next layers need, from the same
/// formula in twice the digits.
///
/// Sources: Williams 1997 (erf), Cho & Saul 2009 (rectified powers), Tsuchida et al. 2020 (gelu), Han et al. 2022 (arXiv 2209.04121; others).
package struct ClosedDual: Sendable {
    package let activation: Activation

    /// Gaps below this are taken in twice the digits.
    private static let exactGap = 0.02
    static let halfPi = DoubleDouble(sum: Double.pi / 2, 6.123233995736766e-17)

    /// nil if no closed form is known.
    package init?(_ activation: Activation) {
        switch activation {
        case _ where activation.isNumerical: return nil
        default: self.activation = activation
        }
    }

    /// θ from the gap: 2 asin √(h/2), or π less that.
    package static func angle(_ h: Double, _ isFar: Bool) -> Double {
        let near = HomogeneousDuals.angle(h)
        return isFar ? .pi - near : near
    }

    /// κ and κ̇ of a point of variance q with itself.
    package func own(_ q: Double) -> (kappa: Double, dot: Double) {
        let result = values(GaussianPair(q, q, gap: 0, knownDifference: nil))
        return (result.covariance, result.derivative)
    }

    /// - Parameter roots: √(κ11 κ22).
    package func pair(_ pair: GaussianPair, roots: Double) -> DualPair {
        var result = values(pair)
        guard result.gap.isNaN else { return result }
        result.gap = DualPair.gap(cosine: roots > 0 ? result.covariance / roots : 0)
        // Where κ is beyond the range of numbers its ratio is not.
        if abs(result.gap) < Self.exactGap || !(roots > 1e-280) { result.gap = gap(pair) ?? result.gap }
        return result
    }

    /// κ, κ̇ and, where there is a formula for it, the gap; else NaN.
    func values(_ pair: GaussianPair) -> DualPair {
        switch activation {
        case .abRelu(let a, let b): return HomogeneousDuals.abRelu(a, b, pair)
        case .sign: return HomogeneousDuals.sign(pair)
        case .rectifiedMonomial(let n): return HomogeneousDuals.rectifiedMonomial(n, pair)
        case .hermite(let n): return HomogeneousDuals.hermite(n, pair)
        case .monomial(let n): return HomogeneousDuals.monomial(n, pair)
        case .expNormalized(let gamma, let shift): return ExponentialDuals.expNormalized(gamma, shift, pair)
        case .exp(let a, let b): return ExponentialDuals.exp(a, b, pair)
        case .gaussian(let a, let b): return ExponentialDuals.gaussian(a, b, pair)
        case .erf(let a, let b, let c):
            let bounded = CorrelatedPair<Double>(pair, root: 2.0.squareRoot() * abs(b)).bounded
            let value = a * a * (2 / .pi) * Double.angle(bounded.rho, bounded.s) + c * c
            return DualPair(covariance: value, derivative: a * a * b * b * (4 / .pi) * bounded.inverseRoot, gap: .nan)
        case .gelu:
            let numbers = CorrelatedPair<Double>(pair, root: 1)
            let bounded = numbers.bounded
            let (s, g1, g2) = (bounded.s, bounded.g1, bounded.g2)
            let value = pair.product / (2 * .pi) * AnalyticDuals.gelu(numbers, halfPi: .pi / 2)
            let slope = (g1 * g2 / s / s + (g1 + g2)) * (bounded.rho / s) + (Double.angle(bounded.rho, s) + .pi / 2)
            return DualPair(covariance: value, derivative: slope / (2 * .pi), gap: .nan)
        case .sin(let a, let b, let c): return sin(a, b, (Glibc.sin(c).squared, Glibc.cos(c).squared), pair)
        case .cos(let a, let b, let c): return sin(a, b, (Glibc.cos(c).squared, Glibc.sin(c).squared), pair)
        case .gabor:
            let numbers = CorrelatedPair<Double>(pair, root: 2.0.squareRoot())
            return DualPair(covariance: AnalyticDuals.gabor(numbers), derivative: Self.gaborSlope(numbers), gap: .nan)
        case .polynomial(let coefficients):
            let numbers = CorrelatedPair<Double>(pair, root: 1)
            return DualPair(
                covariance: AnalyticDuals.polynomial(coefficients, numbers),
                derivative: AnalyticDuals.polynomial(coefficients, numbers, derivative: true), gap: .nan)
        default: return DualPair(covariance: .nan, derivative: .nan, gap: .nan)
        }
    }

    private func sin(_ a: Double, _ b: Double, _ squares: (sine: Double, cosine: Double), _ pair: GaussianPair) -> DualPair {
        let numbers = CorrelatedPair<Double>(pair, root: abs(b))
        let value = AnalyticDuals.sin(numbers, squares: squares)
        let slope = AnalyticDuals.sin(numbers, squares: (squares.cosine, squares.sine))
        return DualPair(covariance: a * a / 2 * value, derivative: a * b * (a * b) / 2 * slope, gap: .nan)
    }

    private static func gaborSlope(_ pair: CorrelatedPair<Double>) -> Double {
        let bounded = pair.bounded
        let square = bounded.s.squared
        let z = (pair.y1 * bounded.g1) * (pair.y2 * bounded.g2) / square * pair.cosine
        let e = expm1(z)
        let sum = (bounded.g1 + bounded.g2) / (2 * square)
        let even = (1 + bounded.rho.squared) * (2 + e) * (bounded.g1 / square) * (bounded.g2 / square)
        return 0.5 * Glibc.exp((sum - 1 - z) / 2) * bounded.inverseRoot * (even + 2 * z * (1 + sum) * e)
    }

    /// κ11 and κ22 in twice the digits, up to one factor.
    func exactVariances(_ pair: GaussianPair) -> (DoubleDouble, DoubleDouble)? {
        guard let (root, covariance) = exact else { return nil }
        let numbers = CorrelatedPair<DoubleDouble>(pair, root: root)
        let (first, second) = (covariance(numbers.own(second: false)), covariance(numbers.own(second: true)))
        switch activation {
        case .gelu: return (numbers.x1 * first, numbers.x2 * second)
        case .polynomial(let coefficients): return (first, second * AnalyticDuals.polynomialFactor(coefficients, numbers))
        // The others' factors belong to φ, not to the points.
        default: return (first, second)
        }
    }

    /// See `DualActivation.scaleRoot`.
    package var scaleRoot: Double? {
        switch activation {
        case .exp(_, let b): abs(b)
        case .gaussian(_, let b): (2 * abs(b)).squareRoot()
        // Relu at large variances, which amplifies nothing.
        case .gelu: nil
        default: exact?.root
        }
    }

    typealias Covariance = (CorrelatedPair<DoubleDouble>) -> DoubleDouble

    /// The covariance in twice the digits, up to factors that belong to the points, and the root of what variances are multiplied by for it.
    var exact: (root: Double, covariance: Covariance)? {
        switch activation {
        case .erf(let a, let b, let c):
            let (factor, offset) = (DoubleDouble(2 / .pi * a * a), DoubleDouble(product: c, c))
            return (2.0.squareRoot() * abs(b), { factor * AnalyticDuals.erf($0) + offset })
        case .gelu: return (1, { AnalyticDuals.gelu($0, halfPi: Self.halfPi) })
        case .sin(_, let b, let c):
            let squares = (sine: Glibc.sin(c).squared, cosine: Glibc.cos(c).squared)
            return (abs(b), { AnalyticDuals.sin($0, squares: squares) })
        case .cos(_, let b, let c):
            let squares = (sine: Glibc.cos(c).squared, cosine: Glibc.sin(c).squared)
            return (abs(b), { AnalyticDuals.sin($0, squares: squares) })
        case .gabor: return (2.0.squareRoot(), { AnalyticDuals.gabor($0) })
        case .polynomial(let coefficients): return (1, { AnalyticDuals.boundedPolynomial(coefficients, $0) })
        default: return nil
        }
    }
}
