public import ONNX

/// A network from a model file: what it takes and gives. Compile it for the shapes of the points that come.
public struct GraphNetwork: Sendable {
    /// An input or output. Its shape is that of one point; nil is an extent that comes with the points.
    public struct Port: Sendable, Equatable {
        public var name: String
        public var shape: [Int?]
        public var type: ONNXElementType
        /// Whether the file's shape has a sample axis in front.
        var hasSampleAxis: Bool
        /// Names of dynamic axes; equal names are equal extents.
        var symbols: [String]
    }

    /// The key of a file's metadata under which its writer names the initializers that are parameters, one a line.
    public static let parametersKey = "ntk.parameters"

    public let model: ONNXModel
    /// Inputs that the chosen output depends on.
    public let inputs: [Port]
    public let outputNames: [String]
    public let output: String
    /// How many nodes of each operator the file has.
    public let operators: [String: Int]
    let limits: GraphLimits

    /// - Parameter output: one of the file's outputs; nil for the first.
    /// - Throws: what the file says of inputs or outputs that cannot be served.
    public init(_ model: ONNXModel, output: String? = nil, limits: GraphLimits = GraphLimits()) throws(GraphError) {
        self.model = model
        self.limits = limits
        outputNames = model.graph.outputs.map(\.name)
        guard let name = output ?? outputNames.first else { throw GraphError(.invalid, "the graph has no output") }
        guard outputNames.contains(name) else {
            throw GraphError(.invalid, "the graph has no output \"\(name)\"; it has \(outputNames.map { "\"\($0)\"" }.joined(separator: ", "))")
        }
        self.output = name
        var operators: [String: Int] = [:]
        for node in model.graph.nodes { operators[node.operation, default: 0] += 1 }
        self.operators = operators
        let initializers = Set(model.graph.initializers.map(\.name))
        let needed = Self.names(model.graph, reaching: name)
        var inputs: [Port] = []
        for info in model.graph.inputs where !initializers.contains(info.name) && needed.contains(info.name) { inputs.append(try Self.port(info)) }
        self.inputs = inputs
    }

    /// Whether a tensor's numbers are read where they stand in the file: large ones that are there as the program has them.
    public static func staysInFile<F: NetworkScalar>(_ tensor: ONNXTensor, _: F.Type) -> Bool {
        F.self == Float.self && tensor.count >= 1 << 10 && tensor.floatsInFile != nil
    }

    private static func port(_ info: ONNXValueInfo) throws(GraphError) -> Port {
        guard let type = info.type, type.isReal || type.isInteger || type == .bool else {
            throw GraphError(.unsupported, "input \"\(info.name)\" is no tensor of numbers")
        }
        guard let shape = info.shape else { throw GraphError(.unsupported, "the file does not say the shape of input \"\(info.name)\"") }
        // A dynamic first axis counts samples, and so does one of extent 1 with others behind it.
        let first = shape.first
        let hasSampleAxis: Bool
        switch first {
        case .dynamic: hasSampleAxis = true
        case .fixed(1): hasSampleAxis = shape.count > 1
        case .fixed(let extent):
            guard shape.count == 1 else {
                throw GraphError(
                    .unsupported, "input \"\(info.name)\" has a first axis of fixed extent \(extent); export the model with a dynamic batch axis")
            }
            hasSampleAxis = false
        case nil: hasSampleAxis = false
        }
        let axes = hasSampleAxis ? Array(shape.dropFirst()) : shape
        return Port(
            name: info.name,
            shape: axes.map { if case .fixed(let extent) = $0 { extent } else { nil } },
            type: type, hasSampleAxis: hasSampleAxis,
            symbols: axes.map { if case .dynamic(let name) = $0 { name } else { "" } })
    }

    /// Names of values that an output depends on.
    private static func names(_ graph: ONNXGraph, reaching output: String) -> Set<String> {
        var names: Set = [output]
        for node in graph.nodes.reversed() where node.outputs.contains(where: { names.contains($0) }) {
            names.formUnion(GraphBuilder<Double>.references(node))
        }
        return names
    }

    /// Compiles the network for points of given shapes, without the sample axis; inputs of fixed shape may be left out.
    /// - Throws: `GraphError` with the node that is not served or does not fit.
    @specialized(where F == Double)
    @specialized(where F == Float)
    public func program<F: NetworkScalar>(_: F.Type, shapes: [String: [Int]] = [:]) throws(GraphError) -> NetworkProgram<F> {
        var builder = GraphBuilder<F>(opset: model.opset, limits: limits, functions: model.functions)
        var programInputs: [NetworkProgram<F>.Input] = []
        for input in inputs {
            let shape = try shape(of: input, given: shapes[input.name])
            let kind: ElementKind = input.type.isReal ? .real : input.type == .bool ? .boolean : .integer
            let wire = try builder.pointInput(TensorType(kind, input.hasSampleAxis ? [1] + shape : shape))
            builder.scopes[0][input.name] = wire
            programInputs.append(NetworkProgram<F>.Input(name: input.name, wire: wire, type: TensorType(kind, shape)))
        }
        let needed = Self.names(model.graph, reaching: output)
        var candidates: [(name: String, wire: Wire, shape: [Int])] = []
        for tensor in model.graph.initializers where needed.contains(tensor.name) {
            guard builder.scopes[0][tensor.name] == nil else { throw GraphError(.invalid, "two values have the name \"\(tensor.name)\"") }
            let isParameter = tensor.type.isReal && tensor.count > 0
            let wire = try builder.constant(tensor, parameter: isParameter ? candidates.count : nil)
            builder.scopes[0][tensor.name] = wire
            if isParameter { candidates.append((tensor.name, wire, tensor.shape)) }
        }
        try builder.compile(model.graph, wanted: [output])
        builder.setCurrent(node: "", operation: "")
        guard !builder.unserved.contains(output) else { throw GraphError(.unsupported, "output \"\(output)\" is one of a node that is not served") }
        guard let wire = builder.wire(named: output) else { throw GraphError(.invalid, "output \"\(output)\" is made by no node") }
        guard builder.values[wire].elements == nil, builder.kind(wire) == .real else {
            throw GraphError(.unsupported, "output \"\(output)\" is no tensor of real numbers; choose another")
        }
        guard builder.values[wire].isSampled else { throw GraphError(.invalid, "output \"\(output)\" does not depend on the inputs") }
        var shape = builder.shape(wire)
        if shape.first == 1, shape.count > 1 || inputs.contains(where: \.hasSampleAxis) { shape.removeFirst() }
        let used = Self.differentiableRoots(builder, output: wire)
        let chosen = model.metadata[Self.parametersKey].map { Set($0.split(separator: "\n").map(String.init)) }
        return NetworkProgram(
            values: builder.values, steps: builder.steps, staticSteps: builder.staticSteps, inputs: programInputs, output: wire,
            outputShape: shape,
            parameters: candidates.filter { used.contains($0.wire) }.map {
                .init(
                    name: $0.name, shape: $0.shape, wire: $0.wire,
                    countsByDefault: chosen?.contains($0.name) ?? (builder.values[$0.wire].type.count > 1))
            })
    }

    private func shape(of input: Port, given: [Int]?) throws(GraphError) -> [Int] {
        guard let given else {
            guard !input.shape.contains(nil) else {
                throw GraphError(.points, "input \"\(input.name)\" of shape \(input.shape) has extents that come with the points")
            }
            return input.shape.compactMap { $0 }
        }
        // An axis of extent 1 may be left out or added at either end.
        guard given.count == input.shape.count, zip(given, input.shape).allSatisfy({ $1 == nil || $0 == $1 }), given.allSatisfy({ $0 >= 0 }) else {
            throw GraphError(
                .points, "points of shape \(given) for input \"\(input.name)\" of shape \(input.shape.map { $0.map(String.init) ?? "any" })")
        }
        return given
    }

    /// Roots of values through which the output depends differentiably on parameters.
    private static func differentiableRoots<F>(_ builder: GraphBuilder<F>, output: Wire) -> Set<Wire> {
        var roots: Set<Wire> = [builder.values[output].root]
        for step in builder.steps.reversed() + builder.staticSteps.reversed()
        where step.operation.isDifferentiable && step.outputs.contains(where: { roots.contains($0) && builder.values[$0].isDifferentiable }) {
            for root in step.inputs.compactMap({ $0 }) where builder.values[root].isDifferentiable { roots.insert(root) }
        }
        return roots
    }
}
