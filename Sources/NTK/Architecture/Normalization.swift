/// Divides by the root mean square over some axes, the channels among them, after subtracting the mean over the channels.
///
/// In the limit of infinite width the mean is 0 and the mean square is the variance.
public struct LayerNorm: Sendable, Equatable {
    public var axes: [Axis]
    /// Added to the mean square.
    public var epsilon: Double

    public init(axes: [Axis] = [.channel], epsilon: Double = 1e-12) {
        self.axes = axes
        self.epsilon = epsilon
    }
}

/// Keeps an element with a probability and divides by it; the identity in a network that is evaluated.
public struct Dropout: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        case train, test
    }

    public var keepProbability: Double
    public var mode: Mode

    public init(keepProbability: Double, mode: Mode = .train) {
        self.keepProbability = keepProbability
        self.mode = mode
    }
}
