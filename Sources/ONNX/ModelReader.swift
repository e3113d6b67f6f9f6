extension ONNXModel {
    /// Reads a model file (ModelProto).
    /// - Throws: `malformed` with the byte where the format is broken, `tooLarge` where a limit is passed, `unsupported` for an operator set
    ///   other than 11 to 23, data in other files, sparse tensors, and types that are no numbers.
    public init(bytes: [UInt8], limits: ONNXLimits = ONNXLimits()) throws(ONNXError) {
        try self.init(bytes: bytes, in: 0..<bytes.count, limits: limits)
    }

    /// Reads a model file that stands within other bytes, such as a part of a request; its tensors stay there.
    public init(bytes: [UInt8], in range: Range<Int>, limits: ONNXLimits = ONNXLimits()) throws(ONNXError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard range.count <= limits.bytes else { throw .tooLarge("a file of \(range.count) bytes; \(limits.bytes) are allowed") }
        var reader = ModelReader(bytes: bytes, limits: limits)
        self = try reader.model(range)
    }
}

/// The messages of onnx.proto, as far as a graph needs them; other fields are skipped.
struct ModelReader {
    let bytes: [UInt8]
    let limits: ONNXLimits
    private var nodes = 0
    private var items = 0
    private var unpackedBytes = 0

    init(bytes: [UInt8], limits: ONNXLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func model(_ range: Range<Int>) throws(ONNXError) -> ONNXModel {
        var reader = WireReader(bytes, range)
        var (irVersion, producer, opset) = (0, "", 0)
        var metadata: [String: String] = [:]
        var graphRange: Range<Int>?
        var functionRanges: [Range<Int>] = []
        while let field = try reader.field() {
            switch field.number {
            case 1: irVersion = try field.integer()
            case 2: producer = try field.string(bytes)
            case 7: graphRange = try field.range()
            case 8:
                let (domain, version) = try operatorSet(try field.range())
                if domain.isEmpty || domain == "ai.onnx" { opset = version }
            case 14:
                let (key, value) = try metadataEntry(try field.range())
                metadata[key] = value
            case 25: functionRanges.append(try field.range())
            default: break
            }
        }
        guard let graphRange else { throw .malformed("no graph: this is not an ONNX model file", offset: 0) }
        guard opset > 0 else { throw .malformed("no version of the default operator set", offset: 0) }
        guard 11...23 ~= opset else { throw .unsupported("operator set \(opset); 11 to 23 are read") }
        var functions: [ONNXFunction] = []
        for range in functionRanges { functions.append(try function(range)) }
        return ONNXModel(
            opset: opset, irVersion: irVersion, producer: producer, metadata: metadata, graph: try graph(graphRange, depth: 0), functions: functions)
    }

    private mutating func function(_ range: Range<Int>) throws(ONNXError) -> ONNXFunction {
        try countItem()
        var reader = WireReader(bytes, range)
        var function = ONNXFunction("", domain: "", inputs: [], outputs: [], nodes: [])
        while let field = try reader.field() {
            switch field.number {
            case 1: function.name = try field.string(bytes)
            case 4:
                try countItem()
                function.inputs.append(try field.string(bytes))
            case 5:
                try countItem()
                function.outputs.append(try field.string(bytes))
            case 7: function.nodes.append(try node(try field.range(), depth: 0))
            case 9:
                let (domain, version) = try operatorSet(try field.range())
                if domain.isEmpty || domain == "ai.onnx" { function.opset = version }
            case 10: function.domain = try field.string(bytes)
            case 11:
                let (name, value) = try attribute(try field.range(), owner: "function \"\(function.name)\"", depth: 0)
                function.defaults[name] = value
            case 13: function.overload = try field.string(bytes)
            default: break
            }
        }
        if let opset = function.opset {
            guard 11...23 ~= opset else { throw .unsupported("function \"\(function.name)\" of operator set \(opset); 11 to 23 are read") }
        }
        return function
    }

    mutating func countItem() throws(ONNXError) {
        items += 1
        guard items <= limits.items else { throw .tooLarge("more than \(limits.items) tensors, attributes, inputs and outputs") }
    }

    private mutating func metadataEntry(_ range: Range<Int>) throws(ONNXError) -> (key: String, value: String) {
        try countItem()
        var reader = WireReader(bytes, range)
        var result = (key: "", value: "")
        while let field = try reader.field() {
            switch field.number {
            case 1: result.key = try field.string(bytes)
            case 2: result.value = try field.string(bytes)
            default: break
            }
        }
        return result
    }

    /// Counts the memory that the numbers of a field take, before they are read: those of a varint are of eight bytes, however few it has.
    mutating func count(_ field: WireReader.Field, isVarint: Bool) throws(ONNXError) {
        switch field.payload {
        case .bytes(let range): unpackedBytes += isVarint ? 8 * range.count : range.count
        default: unpackedBytes += 8
        }
        guard unpackedBytes <= limits.unpackedBytes else {
            throw .tooLarge("numbers outside of raw_data of more than \(limits.unpackedBytes) bytes together")
        }
    }

    private func operatorSet(_ range: Range<Int>) throws(ONNXError) -> (domain: String, version: Int) {
        var reader = WireReader(bytes, range)
        var result = (domain: "", version: 0)
        while let field = try reader.field() {
            switch field.number {
            case 1: result.domain = try field.string(bytes)
            case 2: result.version = try field.integer()
            default: break
            }
        }
        return result
    }

    private mutating func graph(_ range: Range<Int>, depth: Int) throws(ONNXError) -> ONNXGraph {
        guard depth <= limits.depth else { throw .tooLarge("graphs within graphs, deeper than \(limits.depth)") }
        var reader = WireReader(bytes, range)
        var graph = ONNXGraph(nodes: [], initializers: [], inputs: [], outputs: [])
        while let field = try reader.field() {
            switch field.number {
            case 1: graph.nodes.append(try node(try field.range(), depth: depth))
            case 2: graph.name = try field.string(bytes)
            case 5: graph.initializers.append(try tensor(try field.range(), owner: "an initializer"))
            case 11: graph.inputs.append(try valueInfo(try field.range()))
            case 12: graph.outputs.append(try valueInfo(try field.range()))
            case 15: throw .unsupported("a sparse initializer")
            default: break
            }
        }
        return graph
    }

    private mutating func node(_ range: Range<Int>, depth: Int) throws(ONNXError) -> ONNXNode {
        nodes += 1
        guard nodes <= limits.nodes else { throw .tooLarge("more than \(limits.nodes) nodes") }
        var reader = WireReader(bytes, range)
        var node = ONNXNode("", [], [])
        var attributes: [Range<Int>] = []
        while let field = try reader.field() {
            switch field.number {
            case 1:
                try countItem()
                node.inputs.append(try field.string(bytes))
            case 2:
                try countItem()
                node.outputs.append(try field.string(bytes))
            case 3: node.name = try field.string(bytes)
            case 4: node.operation = try field.string(bytes)
            case 5: attributes.append(try field.range())
            case 7: node.domain = try field.string(bytes)
            case 8: node.overload = try field.string(bytes)
            default: break
            }
        }
        if node.domain == "ai.onnx" { node.domain = "" }
        let owner = "node \"\(node.name)\" (\(node.operation))"
        for range in attributes {
            let (name, value) = try attribute(range, owner: owner, depth: depth)
            node.attributes[name] = value
        }
        return node
    }

    private mutating func attribute(
        _ range: Range<Int>, owner: String, depth: Int
    ) throws(ONNXError) -> (name: String, value: ONNXAttribute) {
        try countItem()
        var reader = WireReader(bytes, range)
        var (name, type) = ("", 0)
        var single: ONNXAttribute?
        var reference: String?
        var (ints, floats, strings): ([Int], [Float], [String]) = ([], [], [])
        while let field = try reader.field() {
            switch field.number {
            case 1: name = try field.string(bytes)
            case 2: single = .float(try field.float())
            case 3: single = .int(try field.integer())
            case 4: single = .string(try field.string(bytes))
            case 5: single = .tensor(try tensor(try field.range(), owner: owner))
            case 6: single = .graph(try graph(try field.range(), depth: depth + 1))
            case 7:
                try count(field, isVarint: false)
                try field.append(to: &floats, bytes)
            case 8:
                try count(field, isVarint: true)
                try field.append(to: &ints, bytes)
            case 9:
                try countItem()
                strings.append(try field.string(bytes))
            case 20: type = try field.integer()
            case 21: reference = try field.string(bytes)
            default: break
            }
        }
        if let reference { return (name, .reference(reference)) }
        // A default value, such as an empty list or zero, may be left out; the type says then what it is.
        return switch type {
        case 1: (name, single ?? .float(0))
        case 2: (name, single ?? .int(0))
        case 3: (name, single ?? .string(""))
        case 6: (name, .floats(floats))
        case 7: (name, .ints(ints))
        case 8: (name, .strings(strings))
        default: (name, single ?? (ints.isEmpty ? (floats.isEmpty ? .other : .floats(floats)) : .ints(ints)))
        }
    }
}
