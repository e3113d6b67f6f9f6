/// A function phi that a network applies to every element.
public enum Activation: Sendable, Equatable {
    /// phi(u) = a min(u, 0) + b max(u, 0): relu is (0, 1), abs (-1, 1).
    case abRelu(a: Double, b: Double)
    /// phi(u) = -1, 0 or 1. Its gradient is zero almost everywhere, and so is the tangent kernel of what comes before.
    case sign
    /// phi(u) = a erf(b u) + c.
    case erf(a: Double, b: Double, c: Double)
    /// phi(u) = u Phi(u) with the normal distribution Phi; `approximate`: a finite network uses the formula with tanh.
    case gelu(approximate: Bool)
    /// phi(u) = a sin(b u + c).
    case sin(a: Double, b: Double, c: Double)
    /// phi(u) = a cos(b u + c).
    case cos(a: Double, b: Double, c: Double)
    /// phi(u) = a exp(b u).
    case exp(a: Double, b: Double)
    /// The kernel sqrt(K11 K22) exp(gamma (c + shift)) with the cosine c; there is no function of which it is the dual.
    case expNormalized(gamma: Double, shift: Double)
    /// phi(u) = a exp(b u²).
    case gaussian(a: Double, b: Double)
    /// phi(u) = exp(-u²) sin(u).
    case gabor
    /// The normalized Hermite polynomial h_n, whose kernel K^n is right for unit variance: put layer_norm before.
    case hermite(degree: Int)
    /// phi(u) = u^n.
    case monomial(degree: Int)
    /// phi(u) = max(u, 0)^n, the step function for n = 0.
    case rectifiedMonomial(degree: Int)
    /// phi(u) = Σ coefficients[i] u^i.
    case polynomial([Double])
    case tanh
    /// phi(u) = 1 / (1 + exp(-u)).
    case sigmoid
    /// phi(u) = log(1 + exp(u)).
    case softplus
    /// phi(u) = u sigmoid(u).
    case swish
    /// phi(u) = scale u for u > 0, scale alpha (exp(u) - 1) else.
    case elu(alpha: Double, scale: Double)
    /// phi(u) = u tanh(softplus(u)).
    case mish
    /// phi(u) = u min(max(u / 6 + 1/2, 0), 1), of Howard et al. 2019 (arXiv 1905.02244).
    case hardSwish
    /// A function given as an expression in x.
    case elementwise(Expression)

    /// Whether no closed form of the dual is known.
    package var isNumerical: Bool {
        switch self {
        case .tanh, .sigmoid, .softplus, .swish, .elu, .mish, .hardSwish, .elementwise: true
        default: false
        }
    }

    /// phi(u) = max(u, 0).
    public static let relu = Activation.abRelu(a: 0, b: 1)

    /// phi(u) = erf(u).
    public static let erf = Activation.erf(a: 1, b: 1, c: 0)

    /// phi(u) = sqrt(2) sin(sqrt(2 gamma) u + pi/4): the kernel exp(-gamma (K11 + K22 - 2 K12)).
    public static func rbf(gamma: Double) -> Activation { .sin(a: 2.0.squareRoot(), b: (2 * gamma).squareRoot(), c: .pi / 4) }

    /// The self-normalizing elu of Klambauer et al. 2017 (arXiv 1706.02515).
    public static let selu = Activation.elu(alpha: 1.6732632423543772, scale: 1.0507009873554805)
}
