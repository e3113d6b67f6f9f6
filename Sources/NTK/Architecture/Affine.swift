/// The weights and biases of a linear layer: their distribution, and how the network is written in them.
public struct Affine: Sendable, Equatable {
    /// Outputs (channels). The analytic kernel depends on it only where the next layer is in the standard parameterization.
    public var width: Int?
    /// sigma_w.
    public var weightStd: Double
    /// sigma_b; nil: the layer has no bias. 0 is another thing: a bias of zero variance, whose gradient counts in the standard parameterization.
    public var biasStd: Double?
    public var parameterization: Parameterization
    /// Whether the layer's gradient counts in the tangent kernel; a frozen layer only passes on the gradients of those before it.
    public var isTrainable: Bool

    public init(
        width: Int? = nil, weightStd: Double = 1, biasStd: Double? = nil, parameterization: Parameterization = .ntk, isTrainable: Bool = true
    ) {
        self.width = width
        self.weightStd = weightStd
        self.biasStd = biasStd
        self.parameterization = parameterization
        self.isTrainable = isTrainable
    }
}

/// Where the scale of a layer's weights stands, with W, b ~ N(0, 1) in `ntk`:
public enum Parameterization: String, Sendable, CaseIterable {
    /// z = sigma_w / sqrt(fan-in) W x + sigma_b b, so that the kernel has a limit at infinite width.
    case ntk
    /// z = W x + b with W ~ N(0, sigma_w² / fan-in), b ~ N(0, sigma_b²): the kernel grows with the fan-in.
    case standard
}
