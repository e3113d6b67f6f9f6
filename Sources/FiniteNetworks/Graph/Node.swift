internal import ONNX

/// A node of the file with its inputs in place: what an operator's rule reads.
struct Node {
    let node: ONNXNode
    /// nil: left out.
    let inputs: [Wire?]
    let opset: Int

    var operation: String { node.operation }
    var outputCount: Int { node.outputs.count }
    var title: String { Self.title(node) }

    static func title(_ node: ONNXNode) -> String { node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? "" : node.name }

    func error(_ reason: GraphError.Reason, _ detail: String) -> GraphError {
        GraphError(reason, node: title, operation: operation, detail)
    }

    func unsupported(_ detail: String) -> GraphError { error(.unsupported, detail) }
    func invalid(_ detail: String) -> GraphError { error(.invalid, detail) }

    /// An input that must be there.
    func input(_ index: Int) throws(GraphError) -> Wire {
        guard index < inputs.count, let wire = inputs[index] else { throw invalid("input \(index) is missing") }
        return wire
    }

    func optional(_ index: Int) -> Wire? { index < inputs.count ? inputs[index] : nil }

    /// Whether the graph names this output.
    func wantsOutput(_ index: Int) -> Bool { index < node.outputs.count && !node.outputs[index].isEmpty }

    func has(_ name: String) -> Bool { node.attributes[name] != nil }

    private func mismatch(_ name: String) -> GraphError { invalid("attribute \(name) is of another type") }

    func int(_ name: String, _ standard: Int) throws(GraphError) -> Int {
        switch node.attributes[name] {
        case nil: standard
        case .int(let value): value
        default: throw mismatch(name)
        }
    }

    func int(_ name: String) throws(GraphError) -> Int {
        guard has(name) else { throw invalid("attribute \(name) is missing") }
        return try int(name, 0)
    }

    func flag(_ name: String, _ standard: Bool = false) throws(GraphError) -> Bool { try int(name, standard ? 1 : 0) != 0 }

    func float(_ name: String, _ standard: Double) throws(GraphError) -> Double {
        switch node.attributes[name] {
        case nil: standard
        case .float(let value): Double(value)
        case .int(let value): Double(value)
        default: throw mismatch(name)
        }
    }

    func string(_ name: String, _ standard: String) throws(GraphError) -> String {
        switch node.attributes[name] {
        case nil: standard
        case .string(let value): value
        default: throw mismatch(name)
        }
    }

    func ints(_ name: String) throws(GraphError) -> [Int]? {
        switch node.attributes[name] {
        case nil: nil
        case .ints(let values): values
        case .int(let value): [value]
        default: throw mismatch(name)
        }
    }

    func floats(_ name: String) throws(GraphError) -> [Double]? {
        switch node.attributes[name] {
        case nil: nil
        case .floats(let values): values.map(Double.init)
        default: throw mismatch(name)
        }
    }

    func strings(_ name: String) throws(GraphError) -> [String]? {
        switch node.attributes[name] {
        case nil: nil
        case .strings(let values): values
        default: throw mismatch(name)
        }
    }

    func graph(_ name: String) throws(GraphError) -> ONNXGraph {
        guard case .graph(let graph) = node.attributes[name] else { throw invalid("attribute \(name) is missing") }
        return graph
    }

    /// An axis counted from the front, of a tensor of so many axes; `-1` is the last.
    func axis(_ axis: Int, rank: Int) throws(GraphError) -> Int {
        guard axis >= -rank, axis < rank else { throw invalid("axis \(axis) of a tensor of \(rank) axes") }
        return axis < 0 ? axis + rank : axis
    }

    /// Axes counted from the front, each once, in order.
    func axes(_ axes: [Int], rank: Int) throws(GraphError) -> [Int] {
        var result: [Int] = []
        for value in axes { result.append(try axis(value, rank: rank)) }
        guard Set(result).count == result.count else { throw invalid("axes \(axes), one of them twice") }
        return result.sorted()
    }
}
