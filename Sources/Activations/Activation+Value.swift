import Glibc
import LinearAlgebra

extension Activation {
    /// phi(x); nil for `expNormalized`, which is a kernel without a function.
    public func value(_ x: Double) -> Double? {
        if case .expNormalized = self { return nil }
        return evaluate(x).value
    }

    /// phi'(x), at a kink the mean of both sides; nil for `expNormalized`.
    public func derivative(_ x: Double) -> Double? {
        if case .expNormalized = self { return nil }
        return evaluate(x).derivative
    }

    /// phi(x) and phi'(x). Free of overflow wherever the result is finite.
    package func evaluate(_ x: Double) -> (value: Double, derivative: Double) {
        switch self {
        case .abRelu(let a, let b):
            return (a * min(x, 0) + b * max(x, 0), x < 0 ? a : x > 0 ? b : (a + b) / 2)
        case .sign: return (x < 0 ? -1 : x > 0 ? 1 : 0, 0)
        case .erf(let a, let b, let c):
            return (a * Glibc.erf(b * x) + c, a * b * 2 / Double.pi.squareRoot() * Glibc.exp(-(b * x).squared))
        case .gelu(let isApproximate): return isApproximate ? Self.approximateGelu(x) : Self.gelu(x)
        case .sin(let a, let b, let c): return (a * Glibc.sin(b * x + c), a * b * Glibc.cos(b * x + c))
        case .cos(let a, let b, let c): return (a * Glibc.cos(b * x + c), -(a * b * Glibc.sin(b * x + c)))
        case .exp(let a, let b):
            let value = a * Glibc.exp(b * x)
            return (value, b * value)
        case .expNormalized: return (.nan, .nan)
        case .gaussian(let a, let b):
            let value = a * Glibc.exp(b * x * x)
            return (value, 2 * b * x * value)
        case .gabor:
            let bell = Glibc.exp(-x * x)
            return (bell * Glibc.sin(x), bell * (Glibc.cos(x) - 2 * x * Glibc.sin(x)))
        case .hermite(let degree): return Self.hermite(degree, x)
        case .monomial(let degree):
            return (pow(x, Double(degree)), degree == 0 ? 0 : Double(degree) * pow(x, Double(degree - 1)))
        case .rectifiedMonomial(let degree):
            if x < 0 { return (0, 0) }
            if x == 0 { return (degree == 0 ? 0.5 : 0, degree == 1 ? 0.5 : 0) }
            return (pow(x, Double(degree)), degree == 0 ? 0 : Double(degree) * pow(x, Double(degree - 1)))
        case .polynomial(let coefficients):
            var (value, derivative) = (0.0, 0.0)
            for coefficient in coefficients.reversed() {
                derivative = derivative * x + value
                value = value * x + coefficient
            }
            return (value, derivative)
        case .tanh:
            let value = Glibc.tanh(x)
            return (value, 1 - value * value)
        case .sigmoid:
            let value = Self.sigmoid(x)
            return (value, value * Self.sigmoid(-x))
        case .softplus: return (max(x, 0) + log1p(Glibc.exp(-abs(x))), Self.sigmoid(x))
        case .swish:
            let gate = Self.sigmoid(x)
            return (x * gate, gate + x * gate * Self.sigmoid(-x))
        case .elu(let alpha, let scale):
            if x > 0 { return (scale * x, scale) }
            return (scale * alpha * expm1(x), x < 0 ? scale * alpha * Glibc.exp(x) : scale * (alpha + 1) / 2)
        case .mish:
            let gate = Glibc.tanh(max(x, 0) + log1p(Glibc.exp(-abs(x))))
            return (x * gate, gate + x * (1 - gate * gate) * Self.sigmoid(x))
        case .hardSwish: return Self.hardSwish(x)
        case .elementwise(let expression): return expression.evaluate(x)
        }
    }

    /// Where the function or its slope jumps, of those without a closed form; 0 need not be among them.
    package var kinks: [Double] {
        switch self {
        case .hardSwish: [-3, 3]
        case .elementwise(let expression): expression.kinks()
        default: []
        }
    }

    private static func hardSwish(_ x: Double) -> (value: Double, derivative: Double) {
        if abs(x) >= 3 {
            let slope = x > 0 ? 1.0 : 0
            // At a kink the mean of both sides.
            return (max(x, 0), abs(x) > 3 ? slope : (slope + x / 3 + 0.5) / 2)
        }
        return (x * (x + 3) / 6, x / 3 + 0.5)
    }

    private static func sigmoid(_ x: Double) -> Double {
        let e = Glibc.exp(-abs(x))
        return x >= 0 ? 1 / (1 + e) : e / (1 + e)
    }

    private static func gelu(_ x: Double) -> (value: Double, derivative: Double) {
        let distribution = erfc(-x / 2.0.squareRoot()) / 2
        let density = Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        return (x * distribution, distribution + x * density)
    }

    private static func approximateGelu(_ x: Double) -> (value: Double, derivative: Double) {
        let scale = (2 / Double.pi).squareRoot()
        let gate = Glibc.tanh(scale * (x + 0.044715 * x * x * x))
        let slope = scale * (1 + 3 * 0.044715 * x * x) * (1 - gate * gate)
        return (x / 2 * (1 + gate), (1 + gate) / 2 + x / 2 * slope)
    }

    /// h_n = He_n / sqrt(n!) by h_{n+1} = (x h_n − sqrt(n) h_{n−1}) / sqrt(n + 1); h_n' = sqrt(n) h_{n−1}.
    private static func hermite(_ degree: Int, _ x: Double) -> (value: Double, derivative: Double) {
        var (before, value) = (0.0, 1.0)
        for n in 0..<degree {
            (before, value) = (value, (x * value - Double(n).squareRoot() * before) / Double(n + 1).squareRoot())
        }
        return (value, degree == 0 ? 0 : Double(degree).squareRoot() * before)
    }
}
