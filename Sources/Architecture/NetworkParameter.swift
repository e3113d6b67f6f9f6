public import Activations
import LinearAlgebra

/// A weight or bias of a finite network: its name is the layer's index path, its shape PyTorch's.
public struct NetworkParameter: Sendable, Equatable {
    /// The layer's index path and `.weight` or `.bias`, as in the `state_dict` of a `torch.nn.Sequential`.
    public let name: String
    /// Dense [out, in], conv [out, in, window…], conv_transpose [in, out, window…], conv_local [positions…, out, in, window…].
    public let shape: [Int]
    /// Of an initial value: N(0, σ²).
    public let standardDeviation: Double
    /// Whether its gradient counts in the tangent kernel.
    public let isTrainable: Bool
    package let layout: Layout

    public var count: Int { shape.clampedProduct }

    /// How the elements stand in memory while they are used: a filter as [out, taps, in], so that a row meets a patch.
    package enum Layout: Sendable, Equatable {
        case asGiven
        /// [lead, out, in, taps] comes.
        case filter(lead: Int, out: Int, in: Int, taps: Int)
        /// [in, out, taps] comes, and the taps in the opposite order.
        case transposedFilter(out: Int, in: Int, taps: Int)
    }

    /// Where an element in memory stands in the array that came.
    package func source(_ place: Int) -> Int {
        switch layout {
        case .asGiven: return place
        case .filter(_, let out, let channels, let taps):
            let (rest, channel) = place.quotientAndRemainder(dividingBy: channels)
            let (row, tap) = rest.quotientAndRemainder(dividingBy: taps)
            let (lead, filter) = row.quotientAndRemainder(dividingBy: out)
            return ((lead * out + filter) * channels + channel) * taps + tap
        case .transposedFilter(let out, let channels, let taps):
            let (rest, channel) = place.quotientAndRemainder(dividingBy: channels)
            let (filter, tap) = rest.quotientAndRemainder(dividingBy: taps)
            return (channel * out + filter) * taps + taps - 1 - tap
        }
    }
}

/// What is wrong with a parameter that came, or did not come.
public struct ParameterFault: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case missing(shape: [Int])
        /// The network has no such parameter.
        case surplus
        case shape(expected: [Int], came: [Int])
        /// A bias came for a layer in the "ntk" parameterization without a b_std, which scales it.
        case biasWithoutScale
    }

    public var name: String
    public var kind: Kind
}

/// Why an architecture and parameters make no network.
public enum NetworkError: Error, Sendable, Equatable {
    case architecture(ArchitectureError)
    case parameters([ParameterFault])
    /// An output or a kernel entry is beyond the largest number of the precision.
    case overflow(precision: String)
}
