import Glibc

/// Duals in closed form. Notation: q1, q2 variances, P = q1 q2, S = q1 + q2, q the covariance, h the gap of the cosine to the nearer pole, so
/// that P − q² = P h (2 − h) and S − 2 q = (√q1 − √q2)² + 2 √P (1 − c) without cancellation.
///
/// Sources: Williams 1997 (erf), Cho & Saul 2009 (rectified powers), Tsuchida et al. 2020 (gelu), Han et al. 2022 (arXiv 2209.04121; others).
struct ClosedDual: Sendable {
    private let activation: Activation

    /// nil if no closed form is known.
    init?(_ activation: Activation) {
        switch activation {
        case .tanh, .sigmoid, .softplus, .swish, .elu, .mish, .elementwise: return nil
        default: self.activation = activation
        }
    }

    /// - Parameter roots: √(κ11 κ22).
    func pair(_ pair: GaussianPair, roots: Double) -> DualPair {
        let (value, dot) = self.pair(pair.q1, pair.q2, near: pair.near, isFar: pair.isFar)
        return DualPair(covariance: value, derivative: dot, roots: roots)
    }

    /// - Parameters:
    ///   - near: the gap 1 − |c|.
    ///   - isFar: c < 0.
    func pair(_ q1: Double, _ q2: Double, near h: Double, isFar: Bool) -> (Double, Double) {
        let product = (q1 * q2).squareRoot()
        // A zero vector has no direction.
        let h = product > 0 ? h : 1
        let c = isFar ? -(1 - h) : 1 - h
        let sine = (h * (2 - h)).squareRoot()
        let q = product * c
        let determinant = q1 * q2 * (h * (2 - h))
        let sum = q1 + q2
        switch activation {
        case .abRelu(let a, let b):
            let square = (a - b).squared
            let angle = Self.angle(h, isFar)
            let dot = (a * a + b * b) / 2 - square * angle / (2 * .pi)
            return (square / (2 * .pi) * product * sine + dot * q, dot)
        case .sign: return (product > 0 ? 1 - 2 * Self.angle(h, isFar) / .pi : 0, 0)
        case .erf(let a, let b, let c):
            let root = (1 + 2 * b * b * sum + 4 * b * b * b * b * determinant).squareRoot()
            return (a * a * (2 / .pi) * atan2(2 * b * b * q, root) + c * c, a * a * b * b * (4 / .pi) / root)
        case .gelu: return Self.gelu(q1, q2, q, determinant)
        case .sin(let a, let b, let c):
            // −S/2 ± q from squares: (√q1 ∓ √q2)² and the gap.
            let (r1, r2) = (q1.squareRoot(), q2.squareRoot())
            let minus = (r1 - r2).squared / 2 + product * (isFar ? 2 - h : h)
            let plus = (r1 - r2).squared / 2 + product * (isFar ? h : 2 - h)
            let (first, second) = (Glibc.exp(-b * b * minus), Glibc.exp(-b * b * plus) * Glibc.cos(2 * c))
            return (a * a / 2 * (first - second), a * a * b * b / 2 * (first + second))
        case .exp(let a, let b):
            let value = a * a * Glibc.exp(b * b * (sum / 2 + q))
            return (value, b * b * value)
        case .expNormalized(let gamma, let shift):
            let factor = Glibc.exp(gamma * (c + shift))
            return (product * factor, gamma * factor)
        case .gaussian(let a, let b):
            let square = 1 - 2 * b * sum + 4 * b * b * determinant
            guard square > 0, 1 - 2 * b * q1 > 0, 1 - 2 * b * q2 > 0 else { return (.infinity, .infinity) }
            let root = square.squareRoot()
            return (a * a / root, 4 * a * a * b * b * q / (root * square))
        case .gabor: return Self.gabor(q1, q2, q, determinant)
        case .hermite(let n): return (pow(q, Double(n)), n == 0 ? 0 : Double(n) * pow(q, Double(n - 1)))
        case .monomial(let n):
            return (Self.monomial(n, q, q1 * q2), n == 0 ? 0 : Double(n * n) * Self.monomial(n - 1, q, q1 * q2))
        case .rectifiedMonomial(let n):
            let angle = Self.angle(h, isFar)
            let (last, before) = Self.rectified(n, angle, sine, c)
            let power = pow(product, Double(n)) / (2 * .pi)
            return (power * last, n == 0 ? 0 : Double(n * n) * pow(product, Double(n - 1)) / (2 * .pi) * before)
        case .polynomial(let coefficients): return Self.polynomial(coefficients, q1, q2, q)
        case .tanh, .sigmoid, .softplus, .swish, .elu, .mish, .elementwise: return (.nan, .nan)
        }
    }

    /// θ from the gap: 2 asin √(h/2), or π less that.
    static func angle(_ h: Double, _ isFar: Bool) -> Double {
        let near = 2 * asin(min((h / 2).squareRoot(), 1))
        return isFar ? .pi - near : near
    }

    private static func gelu(_ q1: Double, _ q2: Double, _ q: Double, _ determinant: Double) -> (Double, Double) {
        let product = (1 + q1) * (1 + q2)
        let square = 1 + q1 + q2 + determinant
        let root = square.squareRoot()
        let angle = atan2(q, root)
        let value = ((q * q + q1 * q2 * square) / (product * root) + q * angle) / (2 * .pi) + q / 4
        let dot = (1 / square + (1 - q1 * q2) / product + 1) * q / (2 * .pi * root) + 0.25 + angle / (2 * .pi)
        return (value, dot)
    }

    private static func gabor(_ q1: Double, _ q2: Double, _ q: Double, _ determinant: Double) -> (Double, Double) {
        let (sum, d) = (q1 + q2, 4 * determinant)
        let den = 2 * sum + d + 1
        let left = Glibc.exp(-(sum + d + 2 * q) / (2 * den))
        let right = 2 * q / den
        let shared = 1 + 2 * sum + 4 * (q * q + q1 * q2)
        let odd = 4 * q * (d + 3 * sum + 2)
        let e = Glibc.exp(right)
        return (
            left * expm1(right) / (2 * den.squareRoot()), 0.5 * left * ((shared - odd) + e * (shared + odd)) / (den * den * den.squareRoot())
        )
    }

    /// E[uⁿvⁿ] = Σ_k (n!)² / (k! (2^m m!)²) q^k P^m over k = n − 2m.
    private static func monomial(_ n: Int, _ q: Double, _ product: Double) -> Double {
        var total = 0.0
        for m in 0...n / 2 {
            let k = n - 2 * m
            let halves = Double(m) * Glibc.log(2.0) + lgamma(Double(m + 1))
            let ratio: Double = 2 * lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - 2 * halves
            total += Glibc.exp(ratio).rounded() * pow(q, Double(k)) * pow(product, Double(m))
        }
        return total
    }

    /// J_n and J_{n−1} of Cho & Saul: J_0 = π − θ, J_1 = sin θ + (π − θ) cos θ, J_{n+1} = (2n+1) cos θ J_n + n² sin²θ J_{n−1}.
    private static func rectified(_ n: Int, _ angle: Double, _ sine: Double, _ cosine: Double) -> (Double, Double) {
        var before = 0.0
        var last = .pi - angle
        guard n > 0 else { return (last, 0) }
        (before, last) = (last, sine + last * cosine)
        for k in 1..<n {
            (before, last) = (last, Double(2 * k + 1) * cosine * last + Double(k * k) * sine * sine * before)
        }
        return (max(last, 0), before)
    }

    /// Σ_l r_l(q1) r_l(q2) q^l with r_l(q) = Σ_i a_{2i+l} (2i+l)! / (2^i i! √l!) q^i; no division, so that zero variances are no case apart.
    private static func polynomial(_ a: [Double], _ q1: Double, _ q2: Double, _ q: Double) -> (Double, Double) {
        func coefficient(_ l: Int, _ variance: Double) -> Double {
            var sum = 0.0
            // (2i + l)! / (2^i i! √l!), from one i to the next; √l! to begin with.
            var factor = Glibc.exp(lgamma(Double(l + 1)) / 2)
            var power = 1.0
            var i = 0
            while 2 * i + l < a.count {
                sum += a[2 * i + l] * factor * power
                factor *= Double(2 * i + l + 1) * Double(2 * i + l + 2) / Double(2 * (i + 1))
                power *= variance
                i += 1
            }
            return sum
        }
        var (value, dot, power, before) = (0.0, 0.0, 1.0, 0.0)
        for l in a.indices {
            let both = coefficient(l, q1) * coefficient(l, q2)
            value += both * power
            dot += Double(l) * both * before
            (before, power) = (power, power * q)
        }
        return (value, dot)
    }
}
