/// Why a model is not a network whose kernel can be computed.
public struct GraphError: Error, Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        /// An operator, or a form of it, that is not served.
        case unsupported
        /// The graph contradicts itself: a shape, a name, a missing input.
        case invalid
        /// More work or memory than is allowed.
        case tooLarge
        /// The points do not fit the network: a shape, a name, an index out of range.
        case points
        /// Nobody waits for the network any more, or its meter lets it take no more memory.
        case stopped
    }

    public var reason: Reason
    /// The node's name or, if it has none, that of its first output; "" where no node is to blame.
    public var node: String
    public var operation: String
    /// What was expected and what came.
    public var detail: String

    public init(_ reason: Reason, node: String = "", operation: String = "", _ detail: String) {
        self.reason = reason
        self.node = node
        self.operation = operation
        self.detail = detail
    }

    /// One sentence that names the node.
    public var sentence: String { operation.isEmpty ? detail : "node \"\(node)\" (\(operation)): \(detail)" }
}

/// How large a compiled graph may be.
public struct GraphLimits: Sendable {
    /// Steps of a compiled graph, those evaluated once among them.
    public var steps = 200_000
    /// Elements of one tensor of one sample.
    public var elements = 1 << 28
    /// Bytes of all tensors of one sample and of all constants together.
    public var bytes = 8 << 30
    /// Turns of all loops together.
    public var turns = 20_000
    /// Bytes of what is evaluated while the graph is compiled.
    public var foldedBytes = 1 << 30
    /// Nodes that are compiled, those of each turn of a loop again.
    public var nodes = 2_000_000
    /// Operations of what is evaluated while the graph is compiled.
    public var foldedOperations = 1e9
    /// Asked before memory is taken for a constant that the graph makes, with its bytes, and now and then with 0; false ends the compilation.
    public var meter: (@Sendable (_ bytes: Int) -> Bool)?

    public init() {}
}
