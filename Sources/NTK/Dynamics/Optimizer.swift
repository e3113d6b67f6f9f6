internal import Glibc

/// How the outputs are trained, and what that does to one mode of the kernel.
///
/// The loss is ½ · mean over samples and outputs of the squared error, so that a mode of eigenvalue λ decays at rate ηλ/(n k). With
/// a = ηλ/(n k), ρ is what is left of a mode's error after time or steps t, and φ = (1 − ρ)/λ, which has the limit ηt/(n k) as λ goes to 0:
/// nothing is ever divided by an eigenvalue that may be 0.
public enum Optimizer: Sendable, Equatable {
    /// df/dt = −η ∇: ρ = e^(−at).
    case gradientFlow(learningRate: Double)
    /// t steps: ρ = (1 − a)^t.
    case gradientDescent(learningRate: Double)
    /// t steps with momentum μ from rest (Polyak 1964): e_{s+1} = (1 + μ − a) e_s − μ e_{s−1}, e_{−1} = e_0.
    case heavyBall(learningRate: Double, momentum: Double)

    public var learningRate: Double {
        switch self {
        case .gradientFlow(let rate), .gradientDescent(let rate), .heavyBall(let rate, _): rate
        }
    }

    public var momentum: Double { if case .heavyBall(_, let momentum) = self { momentum } else { 0 } }

    /// Whether times are numbers of steps.
    public var isDiscrete: Bool { if case .gradientFlow = self { false } else { true } }

    /// ρ for rate a = ηλ/(n k) ≥ 0 and time t ≥ 0.
    func remainder(_ a: Double, _ t: Double) -> Double {
        switch self {
        case .gradientFlow: t == 0 ? 1 : exp(-a * t)
        case .gradientDescent: Self.power(1, minus: a, t).value
        case .heavyBall(_, let momentum): Self.heavyBall(a, momentum, t).remainder
        }
    }

    /// (1 − ρ)/a, without cancellation; t for the first two and a = 0.
    func gain(_ a: Double, _ t: Double) -> Double {
        switch self {
        case .gradientFlow:
            if t == 0 { return 0 }
            return a == 0 ? t : -expm1(-a * t) / a
        case .gradientDescent:
            if t == 0 { return 0 }
            return a == 0 ? t : Self.power(1, minus: a, t).complement / a
        case .heavyBall(_, let momentum): return Self.heavyBall(a, momentum, t).gain
        }
    }

    /// (1 − a)^t and one minus that.
    private static func power(_ one: Double, minus a: Double, _ t: Double) -> (value: Double, complement: Double) {
        if t == 0 { return (1, 0) }
        if a < 1 {
            let exponent = t * log1p(-a)
            return (exp(exponent), -expm1(exponent))
        }
        if a == 1 { return (0, 1) }
        let size = exp(t * log(a - 1))
        let value = t.truncatingRemainder(dividingBy: 2) == 0 ? size : -size
        return (value, 1 - value)
    }

    /// By powers of the recursions' matrices: that of e, and that of u = (1 − e)/a, u_{s+1} = (1 + μ − a) u_s − μ u_{s−1} + 1.
    private static func heavyBall(_ a: Double, _ momentum: Double, _ t: Double) -> (remainder: Double, gain: Double) {
        let step = Recursion(next: 1 + momentum - a, last: -momentum)
        let power = step.power(t)
        // e_0 = e_{−1} = 1; u_0 = u_{−1} = 0.
        return (power.m11 + power.m12, power.c1)
    }

    /// (e_s, e_{s−1}) ↦ M (e_s, e_{s−1}) + c.
    private struct Recursion {
        var m11, m12, m21, m22, c1, c2: Double

        init(next: Double, last: Double) { (m11, m12, m21, m22, c1, c2) = (next, last, 1, 0, 1, 0) }

        private init(identity: Void) { (m11, m12, m21, m22, c1, c2) = (1, 0, 0, 1, 0, 0) }

        /// First `inner`, then this.
        private func after(_ inner: Recursion) -> Recursion {
            var result = self
            result.m11 = m11 * inner.m11 + m12 * inner.m21
            result.m12 = m11 * inner.m12 + m12 * inner.m22
            result.m21 = m21 * inner.m11 + m22 * inner.m21
            result.m22 = m21 * inner.m12 + m22 * inner.m22
            result.c1 = m11 * inner.c1 + m12 * inner.c2 + c1
            result.c2 = m21 * inner.c1 + m22 * inner.c2 + c2
            return result
        }

        func power(_ t: Double) -> Recursion {
            var result = Recursion(identity: ())
            var square = self
            var rest = UInt64(t)
            while rest > 0 {
                if rest & 1 == 1 { result = square.after(result) }
                rest >>= 1
                if rest > 0 { square = square.after(square) }
            }
            return result
        }
    }
}
