internal import LinearAlgebra

/// What the numbers of a tensor are. Integers and booleans are kept in 64 bits and have no derivative.
public enum ElementKind: Sendable {
    case real, integer, boolean
}

/// Kind and extents of a tensor of one sample.
public struct TensorType: Sendable, Equatable {
    public var kind: ElementKind
    public var shape: [Int]

    public init(_ kind: ElementKind = .real, _ shape: [Int]) {
        self.kind = kind
        self.shape = shape
    }

    /// Elements; the largest integer where there are more. Limits are checked where a tensor comes into a graph.
    public var count: Int { shape.clampedProduct }
    var rank: Int { shape.count }
    var isReal: Bool { kind == .real }
}

extension [Int] {
    /// The product of extents from one place to before another.
    func product(_ range: Range<Int>) -> Int { self[range].clampedProduct }

    /// Distances between neighbours of each axis in row-major order.
    var strides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1].multipliedClamped(by: self[axis + 1]) }
        return strides
    }
}
