/// A network architecture: a tree of layers, named as in neural-tangents' `stax`.
public indirect enum Layer: Sendable, Equatable {
    /// One layer after another.
    case serial([Layer])
    /// `depth` hidden layers, each an affine map and an activation, and an affine readout.
    case mlp(depth: Int, activation: Layer, hidden: Affine, readout: Affine)
    /// An affine map of the channels.
    case dense(Affine)
    /// phi(u) = a min(u, 0) + b max(u, 0): relu is (0, 1).
    case abRelu(a: Double, b: Double)
    /// phi(u) = a erf(b u) + c.
    case erf(a: Double, b: Double, c: Double)

    /// phi(u) = max(u, 0).
    public static let relu = Layer.abRelu(a: 0, b: 1)

    /// phi(u) = erf(u).
    public static let erf = Layer.erf(a: 1, b: 1, c: 0)

    /// A fully-connected network with the same affine map before each activation and as readout.
    public static func mlp(depth: Int, activation: Layer = .relu, weightStd: Double = 1, biasStd: Double? = nil) -> Layer {
        let affine = Affine(weightStd: weightStd, biasStd: biasStd)
        return .mlp(depth: depth, activation: activation, hidden: affine, readout: affine)
    }
}

/// The weights and biases of a linear layer: their distribution, and how the network is written in them.
public struct Affine: Sendable, Equatable {
    /// Outputs (channels). The analytic kernel depends on it only where the next layer is in the standard parameterization.
    public var width: Int?
    /// sigma_w.
    public var weightStd: Double
    /// sigma_b; nil: the layer has no bias. 0 is another thing: a bias of zero variance, whose gradient counts in the standard parameterization.
    public var biasStd: Double?
    public var parameterization: Parameterization

    public init(width: Int? = nil, weightStd: Double = 1, biasStd: Double? = nil, parameterization: Parameterization = .ntk) {
        self.width = width
        self.weightStd = weightStd
        self.biasStd = biasStd
        self.parameterization = parameterization
    }
}

/// Where the scale of a layer's weights stands, with W, b ~ N(0, 1) in `ntk`:
public enum Parameterization: String, Sendable, CaseIterable {
    /// z = sigma_w / sqrt(fan-in) W x + sigma_b b, so that the kernel has a limit at infinite width.
    case ntk
    /// z = W x + b with W ~ N(0, sigma_w² / fan-in), b ~ N(0, sigma_b²): the kernel grows with the fan-in.
    case standard
}
