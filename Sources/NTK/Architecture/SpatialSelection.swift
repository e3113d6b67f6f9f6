/// Another number of positions by interpolation between them.
public struct ImageResize: Sendable, Equatable {
    public enum Method: String, Sendable, CaseIterable {
        case nearest, linear
    }

    /// The new shape, sample axis and channels too; -1 keeps an axis.
    public var shape: [Int]
    public var method: Method
    /// Where an axis shrinks, widens the interpolation so that every position counts.
    public var antialias: Bool

    public init(shape: [Int], method: Method, antialias: Bool = true) {
        self.shape = shape
        self.method = method
        self.antialias = antialias
    }
}

/// What `index` takes of one axis.
public enum AxisSelection: Sendable, Equatable {
    case all
    /// One position; the axis goes.
    case position(Int)
    /// start..<stop by step, with Python's meaning of negative and missing bounds.
    case slice(start: Int?, stop: Int?, step: Int)
}

/// A constant array on one side of a product over some axes, as `lax.dot_general`.
public struct DotGeneral: Sendable, Equatable {
    public enum Side: String, Sendable, CaseIterable {
        case lhs, rhs
    }

    /// The side on which the constant stands.
    public var side: Side
    public var shape: [Int]
    public var elements: [Double]
    /// Axes that are summed over, and axes that are paired, of the left and of the right side.
    public var contracting: (lhs: [Int], rhs: [Int])
    public var batch: (lhs: [Int], rhs: [Int])

    public init(
        side: Side, shape: [Int], elements: [Double], contracting: (lhs: [Int], rhs: [Int]), batch: (lhs: [Int], rhs: [Int])
    ) {
        self.side = side
        self.shape = shape
        self.elements = elements
        self.contracting = contracting
        self.batch = batch
    }

    public static func == (a: DotGeneral, b: DotGeneral) -> Bool {
        a.side == b.side && a.shape == b.shape && a.elements == b.elements && a.contracting == b.contracting && a.batch == b.batch
    }
}
