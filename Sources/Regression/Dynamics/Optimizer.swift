internal import Glibc

/// How the outputs are trained, and what that does to one mode of the kernel.
///
/// The loss is ½ · mean over samples and outputs of the squared error, so that a mode of eigenvalue λ decays at rate a = hλ with
/// h = η/(n k), ρ is what is left of a mode's error after time or steps t, and φ = (1 − ρ)/λ, which has the limit ht as λ goes to 0:
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

    /// What has become of a mode.
    struct Response {
        /// ρ.
        var remainder: Double
        /// 1 − ρ, without cancellation.
        var complement: Double
        /// φ = (1 − ρ)/λ.
        var gain: Double
    }

    /// Rates below this change e^(−a) and 1 − a to the same number, and may have lost digits by being so small.
    private static let tiny = 1e-290

    /// - Parameters:
    ///   - step: h > 0.
    ///   - eigenvalue: λ ≥ 0.
    ///   - t: ≥ 0; a whole number of at most 2⁵³ where times are steps.
    func response(step: Double, eigenvalue: Double, at t: Double) -> Response {
        guard t > 0 else { return Response(remainder: 1, complement: 0, gain: 0) }
        let rate = step * eigenvalue
        switch self {
        case .gradientFlow: return Self.exponential(step, eigenvalue, t)
        case .gradientDescent where rate < Self.tiny, .heavyBall(_, 0) where rate < Self.tiny: return Self.exponential(step, eigenvalue, t)
        case .gradientDescent, .heavyBall(_, 0):
            let (value, complement) = Self.power(1, minus: rate, t)
            return Response(remainder: value, complement: complement, gain: complement / eigenvalue)
        case .heavyBall(_, let momentum):
            let ball = HeavyBall(rate: rate < Self.tiny ? 0 : rate, momentum: momentum)
            guard rate >= Self.tiny else {
                let gain = step * ball.gain(t)
                let complement = Self.product(step, eigenvalue, ball.gain(t))
                return Response(remainder: 1 - complement, complement: complement, gain: gain)
            }
            let remainder = ball.remainder(t)
            let complement = remainder < 0.5 ? 1 - remainder : rate * ball.gain(t)
            return Response(remainder: remainder, complement: complement, gain: complement / eigenvalue)
        }
    }

    private static func exponential(_ step: Double, _ eigenvalue: Double, _ t: Double) -> Response {
        let exponent = product(step, eigenvalue, t)
        let complement = -expm1(-exponent)
        let gain = exponent < 1e-8 ? step * t * (1 - exponent / 2) : complement / eigenvalue
        return Response(remainder: exp(-exponent), complement: complement, gain: gain)
    }

    /// a b c for numbers ≥ 0, whose partial products may leave the range; 0 if one is 0.
    private static func product(_ a: Double, _ b: Double, _ c: Double) -> Double {
        guard a > 0, b > 0, c > 0, a.isFinite, b.isFinite, c.isFinite else { return a == 0 || b == 0 || c == 0 ? 0 : a * b * c }
        let exponent = Int(a.exponent) + Int(b.exponent) + Int(c.exponent)
        let scaled = a.significand * b.significand * c.significand
        return exponent > 1_100 ? .infinity : exponent < -1_100 ? 0 : Double(sign: .plus, exponent: exponent, significand: scaled)
    }

    /// (1 − a)^t and one minus that.
    private static func power(_ one: Double, minus a: Double, _ t: Double) -> (value: Double, complement: Double) {
        if a < 1 {
            let exponent = t * log1p(-a)
            return (exp(exponent), -expm1(exponent))
        }
        if a == 1 { return (0, 1) }
        let size = exp(t * log(a - 1))
        let value = t.truncatingRemainder(dividingBy: 2) == 0 ? size : -size
        return (value, 1 - value)
    }
}
