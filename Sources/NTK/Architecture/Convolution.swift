/// A convolution over all spatial axes, or a layer with its geometry.
///
/// An element of the output sums over a window of positions, `fan-in = channels · product of filterShape`, whether or not parts of the
/// window lie beyond the edge.
public struct Convolution: Sendable, Equatable {
    public enum Variant: String, Sendable, CaseIterable {
        /// The same filter at every position.
        case shared = "conv"
        /// A filter of its own at every position.
        case local = "conv_local"
        /// The geometry of the gradient of a convolution: with strides, the output is larger than the input.
        case transpose = "conv_transpose"
    }

    public var variant: Variant
    /// One entry for each spatial axis.
    public var filterShape: [Int]
    /// nil: 1 along every axis.
    public var strides: [Int]?
    public var padding: Padding
    public var affine: Affine

    public init(
        variant: Variant = .shared, filterShape: [Int], strides: [Int]? = nil, padding: Padding = .valid, affine: Affine = Affine()
    ) {
        self.variant = variant
        self.filterShape = filterShape
        self.strides = strides
        self.padding = padding
        self.affine = affine
    }
}

/// What a window finds beyond the edge.
public enum Padding: String, Sendable, CaseIterable {
    /// Windows stay inside.
    case valid
    /// Zeros, as many as make the output ⌈size / stride⌉ long; the odd one at the end.
    case same
    /// As many as with `same`, taken from the other side.
    case circular
}

/// Mean or sum over windows of positions.
public struct Pool: Sendable, Equatable {
    public enum Reduction: String, Sendable, CaseIterable {
        case average = "avg"
        case sum
    }

    public var reduction: Reduction
    public var windowShape: [Int]
    /// nil: 1 along every axis.
    public var strides: [Int]?
    public var padding: Padding
    /// With padding `same`: divide by the number of positions inside, not by the whole window's.
    public var normalizesEdges: Bool

    public init(
        reduction: Reduction = .average, windowShape: [Int], strides: [Int]? = nil, padding: Padding = .valid, normalizesEdges: Bool = false
    ) {
        self.reduction = reduction
        self.windowShape = windowShape
        self.strides = strides
        self.padding = padding
        self.normalizesEdges = normalizesEdges
    }
}
