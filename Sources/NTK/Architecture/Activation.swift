/// A function phi that a network applies to every element.
public enum Activation: Sendable, Equatable {
    /// phi(u) = a min(u, 0) + b max(u, 0): relu is (0, 1), abs (-1, 1).
    case abRelu(a: Double, b: Double)
    /// phi(u) = a erf(b u) + c.
    case erf(a: Double, b: Double, c: Double)

    /// phi(u) = max(u, 0).
    public static let relu = Activation.abRelu(a: 0, b: 1)

    /// phi(u) = erf(u).
    public static let erf = Activation.erf(a: 1, b: 1, c: 0)
}
