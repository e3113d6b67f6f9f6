/// Why a file is not read as an ONNX model.
public enum ONNXError: Error, Sendable, Equatable {
    /// The bytes are not what the format says: what was expected, and at which byte.
    case malformed(String, offset: Int)
    /// The file has more of something than is allowed.
    case tooLarge(String)
    /// The file is well formed, but uses what is not read.
    case unsupported(String)

    /// What was expected and what came.
    public var detail: String {
        switch self {
        case .malformed(let detail, let offset): "\(detail) at byte \(offset)"
        case .tooLarge(let detail), .unsupported(let detail): detail
        }
    }
}

/// How much a model file may contain. Everything is checked before memory is taken for it.
public struct ONNXLimits: Sendable, Equatable {
    /// Bytes of the file.
    public var bytes = 2_147_483_647
    /// Nodes of all graphs together.
    public var nodes = 200_000
    /// Tensors, attributes, inputs and outputs of all graphs together.
    public var items = 1_000_000
    /// Bytes of numbers that stand one by one instead of in `raw_data`, once they are read.
    public var unpackedBytes = 1 << 28
    /// Graphs within graphs.
    public var depth = 8
    /// Axes of a tensor.
    public var rank = 16

    public init() {}
}
