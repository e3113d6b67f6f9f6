/// A model file of the Open Neural Network Exchange, as its graph says it: nothing is inferred and nothing evaluated.
///
/// Source: onnx.proto of ONNX 1.16 and later; IR versions are judged by what the file contains.
public struct ONNXModel: Sendable {
    /// Version of the default operator set.
    public var opset: Int
    public var irVersion: Int
    public var producer: String
    /// What the writer says beside the graph, by key.
    public var metadata: [String: String]
    public var graph: ONNXGraph
    /// The file's own operators.
    public var functions: [ONNXFunction]

    public init(
        opset: Int, irVersion: Int = 10, producer: String = "", metadata: [String: String] = [:], graph: ONNXGraph, functions: [ONNXFunction] = []
    ) {
        self.opset = opset
        self.irVersion = irVersion
        self.producer = producer
        self.metadata = metadata
        self.graph = graph
        self.functions = functions
    }
}

/// An operator that the file defines by a graph of others (FunctionProto).
public struct ONNXFunction: Sendable {
    public var name: String
    public var domain: String
    /// Tells apart functions of one name.
    public var overload: String
    public var inputs: [String]
    public var outputs: [String]
    /// What the attributes are that a node does not give; those without a value are left out.
    public var defaults: [String: ONNXAttribute]
    public var nodes: [ONNXNode]
    /// Version of the default operator set; nil for the model's.
    public var opset: Int?

    public init(
        _ name: String, domain: String, overload: String = "", inputs: [String], outputs: [String], defaults: [String: ONNXAttribute] = [:],
        nodes: [ONNXNode], opset: Int? = nil
    ) {
        self.name = name
        self.domain = domain
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.defaults = defaults
        self.nodes = nodes
        self.opset = opset
    }
}

public struct ONNXGraph: Sendable {
    public var name = ""
    public var nodes: [ONNXNode]
    public var initializers: [ONNXTensor]
    /// Inputs of the graph; older files list initializers among them.
    public var inputs: [ONNXValueInfo]
    public var outputs: [ONNXValueInfo]

    public init(name: String = "", nodes: [ONNXNode], initializers: [ONNXTensor], inputs: [ONNXValueInfo], outputs: [ONNXValueInfo]) {
        self.name = name
        self.nodes = nodes
        self.initializers = initializers
        self.inputs = inputs
        self.outputs = outputs
    }
}

public struct ONNXNode: Sendable {
    public var name: String
    public var operation: String
    /// "" is the default domain.
    public var domain: String
    /// Names of values; "" is an input that is left out.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: ONNXAttribute]
    /// Of a function that the file defines.
    public var overload = ""

    public init(
        _ operation: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
        attributes: [String: ONNXAttribute] = [:]
    ) {
        self.name = name
        self.operation = operation
        self.domain = domain
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }
}

public enum ONNXAttribute: Sendable {
    case int(Int)
    case float(Float)
    case string(String)
    case tensor(ONNXTensor)
    case graph(ONNXGraph)
    case ints([Int])
    case floats([Float])
    case strings([String])
    /// What an attribute of the function is that the node stands in.
    case reference(String)
    /// Of a kind that no operator here reads, such as a sparse tensor.
    case other
}

/// An axis of an input or output.
public enum ONNXDimension: Sendable, Equatable {
    case fixed(Int)
    /// With its name, if it has one.
    case dynamic(String)
}

public struct ONNXValueInfo: Sendable {
    public var name: String
    /// Nil where the file does not say.
    public var type: ONNXElementType?
    /// Nil where the file does not say.
    public var shape: [ONNXDimension]?

    public init(name: String, type: ONNXElementType?, shape: [ONNXDimension]?) {
        self.name = name
        self.type = type
        self.shape = shape
    }
}

/// TensorProto.DataType.
public enum ONNXElementType: Int, Sendable {
    case float32 = 1
    case uint8, int8, uint16, int16, int32, int64, string, bool, float16, float64, uint32, uint64, complex64, complex128, bfloat16

    /// Bytes of an element in raw data; nil for strings.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64, .complex64: 8
        case .complex128: 16
        case .string: nil
        }
    }

    public var isReal: Bool { [.float32, .float64, .float16, .bfloat16].contains(self) }
    public var isInteger: Bool { [.uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64].contains(self) }

    /// As numpy says it.
    public var name: String {
        switch self {
        case .float32: "float32"
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: "uint16"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .string: "str"
        case .bool: "bool"
        case .float16: "float16"
        case .float64: "float64"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .complex64: "complex64"
        case .complex128: "complex128"
        case .bfloat16: "bfloat16"
        }
    }
}
