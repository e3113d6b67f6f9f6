internal import FiniteNetworks
internal import LinearAlgebra
internal import ONNX
internal import TensorFormats

extension ModelFile {
    /// The body of a request to store a network, where it is a model file: alone, or as the only part; nil for another.
    init?(whole value: JSONValue) throws(ProblemDetails) {
        guard case .object(let object) = value, let network = object["network"] else { return nil }
        if let unexpected = object.members.first(where: { !$0.key.isSame(as: "network") }) {
            throw .invalid("/\(unexpected.key.jsonPointerToken)", "no other part beside network.onnx expected")
        }
        try self.init(network, at: "/network")
    }

    /// Extents that stand for those that come with the points, where a network is compiled to see what it is.
    private static let standIn = 8

    /// What a client is told of the network, the members of an object: nothing depends on where or when it was stored.
    /// - Throws: that the network is not served, for whatever points.
    func description(name: String?) throws(ProblemDetails) -> String {
        let network = try network(output: nil)
        let parameters = try parameters(network)
        var json = JSONWriter()
        json.beginObject()
        json.member("format", "onnx")
        if let name { json.member("name", name) }
        json.member("opset", model.opset)
        json.member("bytes", file.range.count)
        json.key("inputs")
        json.beginArray()
        for port in network.inputs { Self.write(port.name, port.shape, port.type, &json) }
        json.endArray()
        json.key("outputs")
        json.beginArray()
        for output in model.graph.outputs {
            let shape = output.shape?.dropFirst().map { if case .fixed(let extent) = $0 { extent } else { nil as Int? } }
            Self.write(output.name, shape, output.type, &json)
        }
        json.endArray()
        json.key("parameters")
        json.beginArray()
        for (tensor, isDifferentiable) in parameters.all {
            json.beginObject()
            json.member("name", tensor.name)
            json.integers("shape", tensor.shape)
            json.member("dtype", tensor.type.name)
            json.key("differentiable")
            json.value(isDifferentiable)
            json.endObject()
        }
        json.endArray()
        json.member("parameter_count", parameters.count)
        json.key("operators")
        json.beginObject()
        for (name, count) in network.operators.sorted(by: { ExactText($0.key) < ExactText($1.key) }) { json.member(name, count) }
        json.endObject()
        json.endObject()
        return String(decoding: json.bytes.dropFirst().dropLast(), as: UTF8.self)
    }

    private static func write(_ name: String, _ shape: [Int?]?, _ type: ONNXElementType?, _ json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.key("shape")
        if let shape {
            json.beginArray()
            for extent in shape { if let extent { json.value(extent) } else { json.null() } }
            json.endArray()
        } else {
            json.null()
        }
        json.key("dtype")
        if let type { json.value(type.name) } else { json.null() }
        json.endObject()
    }

    /// The file's real tensors, whether the first output depends on each differentiably, and how many numbers take part where none are chosen.
    private func parameters(_ network: GraphNetwork) throws(ProblemDetails) -> (all: [(ONNXTensor, Bool)], count: Int) {
        let tensors = model.graph.initializers.filter { $0.type.isReal && $0.count > 0 }
        let meter = try ModelMeter(constantBytes(Float.self))
        let isOpen = network.inputs.contains { $0.shape.contains(nil) }
        let shapes = Dictionary(network.inputs.map { ($0.name, $0.shape.map { $0 ?? Self.standIn }) }) { first, _ in first }
        do throws(GraphError) {
            let program = try GraphNetwork(model, limits: meter.limits).program(Float.self, shapes: shapes)
            let known = Set(program.parameters.map(\.name))
            return (tensors.map { ($0, known.contains($0.name)) }, program.parameterCount)
        } catch {
            if let problem = meter.problem { throw problem }
            // With other extents it may be well.
            guard isOpen, error.reason == .invalid || error.reason == .points else { throw problem(error) }
        }
        let used = Set(model.graph.nodes.flatMap(\.inputs))
        let all = tensors.map { ($0, used.contains($0.name)) }
        return (all, all.reduce(0) { $0 + ($1.1 && $1.0.count > 1 ? $1.0.count : 0) })
    }
}
