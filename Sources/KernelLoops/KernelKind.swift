/// The two kernels of an infinitely wide network.
public enum KernelKind: String, Sendable, CaseIterable {
    /// The neural network Gaussian process: the covariance of the outputs at initialization.
    case nngp
    /// The neural tangent kernel: the inner product of the outputs' gradients with respect to all parameters.
    case ntk
}

/// Kernels of the same pair of data sets; a kind that was not asked for is nil.
public struct Kernels<Value: Sendable>: Sendable {
    public var nngp: Value?
    public var ntk: Value?
    /// Estimated error of an entry k(x, x') relative to √(k(x, x) k(x', x')), rounding aside; 0 where every dual is a closed form.
    public var errorEstimate = 0.0

    public init(nngp: Value? = nil, ntk: Value? = nil, errorEstimate: Double = 0) {
        self.nngp = nngp
        self.ntk = ntk
        self.errorEstimate = errorEstimate
    }

    public subscript(kind: KernelKind) -> Value? {
        switch kind {
        case .nngp: nngp
        case .ntk: ntk
        }
    }
}
