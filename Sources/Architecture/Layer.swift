public import Activations

/// A network architecture: a tree of layers, named as in neural-tangents' `stax`.
///
/// The sample axis of an input is axis 0 and the channels are its last axis; the axes between are spatial, any number of them.
public indirect enum Layer: Sendable, Equatable {
    // Combinators.
    /// One layer after another.
    case serial([Layer])
    /// Each branch on its own input: after `fanOut`, before a fan-in.
    case parallel([Layer])
    /// The layer `count` times, with new weights each time.
    case repeated(Layer, count: Int)
    /// x + f(x), with f the layers one after another.
    case residual([Layer])
    /// Copies of the input for `parallel`.
    case fanOut(Int)
    /// Sum of the branches, which have independent weights.
    case fanInSum
    /// Elementwise product of the branches.
    case fanInProd
    /// The branches side by side along an axis.
    case fanInConcat(Axis)
    /// `depth` hidden layers, each an affine map and an activation, and an affine readout, in a finite network of one output where nothing says
    /// otherwise.
    case mlp(depth: Int, activation: Activation, hidden: Affine, readout: Affine)

    // Linear layers.
    /// An affine map of the channels.
    case dense(Affine)
    case convolution(Convolution)
    case pool(Pool)
    /// Mean or sum over all positions.
    case globalPool(Pool.Reduction)
    /// All positions and channels as one axis of channels.
    case flatten
    case identity
    case layerNorm(LayerNorm)
    case groupNorm(GroupNorm)
    case dropout(Dropout)
    case selfAttention(SelfAttention)
    /// x ← A x along the given axes (nil: all spatial axes, as one), with an adjacency matrix A that comes with each input.
    case aggregate(axes: [Int]?)
    case imageResize(ImageResize)
    /// Picks positions, one entry an axis, sample axis first; missing entries take all.
    case index([AxisSelection])
    case dotGeneral(DotGeneral)

    /// A function of every element.
    case activation(Activation)

    /// phi(u) = max(u, 0).
    public static let relu = Layer.activation(.relu)

    /// phi(u) = erf(u).
    public static let erf = Layer.activation(.erf)

    /// A fully-connected network with the same affine map before each activation and as readout.
    public static func mlp(depth: Int, activation: Activation = .relu, weightStd: Double = 1, biasStd: Double? = nil) -> Layer {
        let affine = Affine(weightStd: weightStd, biasStd: biasStd)
        return .mlp(depth: depth, activation: activation, hidden: affine, readout: affine)
    }
}

/// An axis of an input [n, spatial…, channels].
public enum Axis: Sendable, Hashable {
    case channel
    /// Counted from the sample axis 0; negative from the end.
    case index(Int)

    /// The axis in an array of `rank` axes whose last one holds the channels; nil if there is none.
    public func resolved(rank: Int) -> Int? {
        switch self {
        case .channel: rank - 1
        case .index(let axis) where axis >= -rank && axis < rank: axis < 0 ? axis + rank : axis
        case .index: nil
        }
    }
}
