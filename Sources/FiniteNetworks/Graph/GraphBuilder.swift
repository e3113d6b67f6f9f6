internal import LinearAlgebra
internal import ONNX

/// The place of a tensor, or of a sequence of tensors, in a graph.
typealias Wire = Int

/// A tensor of a compiled graph.
struct GraphValue: Sendable {
    var type: TensorType
    /// The value whose numbers these are: another one's where only the shape differs.
    var root: Wire
    /// Whether it depends on the point.
    var isSampled = false
    /// Whether it depends differentiably on initializers that can be parameters.
    var isDifferentiable = false
    /// Whether its numbers are made of initializers that can be parameters, differentiably or not.
    var isParametric = false
    /// Numbers that do not depend on the point, evaluated once.
    var constant: Buffer?
    /// Which parameter it is.
    var parameter: Int?
    /// Tensors of a sequence; nil for a tensor.
    var elements: [Wire]?
}

/// An operation at its place in the graph, with its inputs' and outputs' roots.
struct Step: Sendable {
    var node: String
    var operation: any Operation
    /// nil: left out.
    var inputs: [Wire?]
    var outputs: [Wire]
}

/// What tells a file's own operators apart.
struct FunctionName: Hashable, Sendable {
    var domain: String
    var name: String
    var overload: String
}

/// Puts a network together, operation by operation: evaluates at once what does not depend on the point, and keeps the rest as steps.
struct GraphBuilder<F: NetworkScalar> {
    private(set) var values: [GraphValue] = []
    /// Steps that depend on the point, in order.
    private(set) var steps: [Step] = []
    /// Steps that do not, but whose results depend on parameters: for the way back, and for other values of the parameters.
    private(set) var staticSteps: [Step] = []
    let limits: GraphLimits
    /// Of the nodes that are compiled.
    var opset: Int
    /// The file's own operators, by domain, name and overload.
    var functions: [FunctionName: ONNXFunction] = [:]
    /// Inputs of a function that a node leaves out.
    var absent: Set<String> = []
    /// Values by name, of the graph and the graphs around it.
    var scopes: [[String: Wire]] = [[:]]
    /// Names of outputs that nodes have but that are not served.
    var unserved: Set<String> = []
    var depth = 0
    var turns = 0
    private var bytes = 0
    private var foldedOperations = 0.0
    private var foldedBytes = 0
    private var compiledNodes = 0
    private var madeSteps = 0
    /// The node that is being compiled, for errors.
    private(set) var current: (node: String, operation: String) = ("", "")

    init(opset: Int, limits: GraphLimits, functions: [ONNXFunction] = []) {
        self.opset = opset
        self.limits = limits
        for function in functions {
            let domain = function.domain == "ai.onnx" ? "" : function.domain
            self.functions[FunctionName(domain: domain, name: function.name, overload: function.overload)] = function
        }
    }

    // MARK: Errors

    func error(_ reason: GraphError.Reason, _ detail: String) -> GraphError {
        GraphError(reason, node: current.node, operation: current.operation, detail)
    }

    func unsupported(_ detail: String) -> GraphError { error(.unsupported, detail) }
    func invalid(_ detail: String) -> GraphError { error(.invalid, detail) }

    mutating func setCurrent(node: String, operation: String) { current = (node, operation) }

    // MARK: Reading

    func type(_ wire: Wire) -> TensorType { values[wire].type }
    func shape(_ wire: Wire) -> [Int] { values[wire].type.shape }
    func kind(_ wire: Wire) -> ElementKind { values[wire].type.kind }
    func isStatic(_ wire: Wire) -> Bool { !values[wire].isSampled }

    /// The numbers of an integer or boolean tensor that does not depend on the point.
    func integers(_ wire: Wire, _ name: String) throws(GraphError) -> [Int] {
        let value = values[wire]
        guard let constant = values[value.root].constant else { throw unsupported("\(name) depends on the point") }
        let count = value.type.count
        if value.type.isReal {
            return constant.cells(F.self, count).elements.map { Int(exactly: Double($0).rounded(.towardZero)) ?? 0 }
        }
        return constant.cells(Int64.self, count).elements.map { Int($0) }
    }

    func integer(_ wire: Wire, _ name: String) throws(GraphError) -> Int {
        let all = try integers(wire, name)
        guard all.count == 1 else { throw invalid("\(name) has \(all.count) elements instead of one") }
        return all[0]
    }

    /// The numbers of a tensor that does not depend on the point.
    func reals(_ wire: Wire, _ name: String) throws(GraphError) -> [Double] {
        let value = values[wire]
        guard value.type.isReal else { return try integers(wire, name).map(Double.init) }
        guard let constant = values[value.root].constant else { throw unsupported("\(name) depends on the point") }
        return constant.cells(F.self, value.type.count).elements.map { Double($0) }
    }

    // MARK: Making

    /// Whether a tensor is allowed; operations that lay something out for each of its elements ask before they do.
    func check(_ type: TensorType) throws(GraphError) {
        guard type.shape.allSatisfy({ $0 >= 0 }) else { throw invalid("shape \(type.shape)") }
        // A zero may stand behind an extent that would overflow.
        guard type.shape.contains(0) || type.count <= limits.elements, type.shape.allSatisfy({ $0 <= limits.elements }) else {
            throw error(.tooLarge, "a tensor of shape \(type.shape); \(limits.elements) elements are allowed")
        }
    }

    /// Counts nodes that are compiled, or looked at, against the limit.
    mutating func countNodes(_ count: Int) throws(GraphError) {
        compiledNodes += count
        guard compiledNodes <= limits.nodes else { throw error(.tooLarge, "more than \(limits.nodes) nodes, with those of each turn of a loop") }
    }

    /// Bytes of tensors of a type, counted against the limits.
    private mutating func take(_ type: TensorType) throws(GraphError) {
        try check(type)
        bytes = bytes.addingClamped(type.count.multipliedClamped(by: type.isReal ? MemoryLayout<F>.size : 8))
        guard bytes <= limits.bytes else { throw error(.tooLarge, "tensors of more than \(limits.bytes) bytes together") }
    }

    /// - Parameter isInFile: whether its numbers take no memory beside the file's.
    private mutating func append(_ type: TensorType, isInFile: Bool = false) throws(GraphError) -> Wire {
        if isInFile { try check(type) } else { try take(type) }
        values.append(GraphValue(type: type, root: values.count))
        return values.count - 1
    }

    /// A tensor that depends on the point.
    mutating func pointInput(_ type: TensorType) throws(GraphError) -> Wire {
        let wire = try append(type)
        values[wire].isSampled = true
        return wire
    }

    /// A tensor of the file; `parameter`: which one, if it can be one.
    mutating func constant(_ tensor: ONNXTensor, parameter: Int? = nil) throws(GraphError) -> Wire {
        let kind: ElementKind = tensor.type.isReal ? .real : tensor.type == .bool ? .boolean : .integer
        let isInFile = kind == .real && GraphNetwork.staysInFile(tensor, F.self)
        let wire = try append(TensorType(kind, tensor.shape), isInFile: isInFile)
        if isInFile, let (bytes, start) = tensor.floatsInFile {
            values[wire].constant = Buffer(bytes, from: start, count: tensor.count)
            values[wire].parameter = parameter
            values[wire].isDifferentiable = parameter != nil
            values[wire].isParametric = parameter != nil
        } else if kind == .real {
            let buffer = Buffer(F.self, count: tensor.count)
            let cells = buffer.cells(F.self, tensor.count)
            tensor.forEachReal { cells[$0] = F($1) }
            values[wire].constant = buffer
            values[wire].parameter = parameter
            values[wire].isDifferentiable = parameter != nil
            values[wire].isParametric = parameter != nil
        } else {
            let buffer = Buffer(Int64.self, count: tensor.count)
            let cells = buffer.cells(Int64.self, tensor.count)
            tensor.forEachInteger { cells[$0] = $1 }
            values[wire].constant = buffer
        }
        return wire
    }

    mutating func constant(reals: [Double], shape: [Int]) throws(GraphError) -> Wire {
        try constant(ONNXTensor(name: "", shape: shape, doubles: reals))
    }

    mutating func constant(integers: [Int], shape: [Int]? = nil, kind: ElementKind = .integer) throws(GraphError) -> Wire {
        try constant(ONNXTensor(name: "", shape: shape ?? [integers.count], integers: integers, type: kind == .boolean ? .bool : .int64))
    }

    /// A sequence of tensors.
    mutating func sequence(_ elements: [Wire]) -> Wire {
        values.append(GraphValue(type: TensorType(.real, [0]), root: values.count))
        values[values.count - 1].elements = elements
        return values.count - 1
    }

    /// The same numbers under another shape of as many elements.
    mutating func reshape(_ wire: Wire, to shape: [Int]) throws(GraphError) -> Wire {
        guard shape.clampedProduct == values[wire].type.count else {
            throw invalid("\(values[wire].type.count) elements do not have shape \(shape)")
        }
        if shape == values[wire].type.shape { return wire }
        var value = values[wire]
        value.type.shape = shape
        value.constant = nil
        value.parameter = nil
        values.append(value)
        return values.count - 1
    }

    /// Adds an operation: evaluates it where it does not depend on the point.
    mutating func add(_ operation: any Operation, _ inputs: [Wire?], _ outputs: [TensorType]) throws(GraphError) -> [Wire] {
        madeSteps += 1
        guard madeSteps <= limits.steps else { throw error(.tooLarge, "more than \(limits.steps) steps") }
        if madeSteps.isMultiple(of: 256), !(limits.meter?(0) ?? true) { throw error(.stopped, "the compilation was stopped") }
        let sources = inputs.compactMap { $0.map { values[$0] } }
        let isSampled = sources.contains { $0.isSampled }
        let carries = operation.isDifferentiable && sources.contains { $0.isDifferentiable && $0.type.isReal }
        let isParametric = sources.contains { $0.isParametric }
        var wires: [Wire] = []
        for type in outputs {
            let wire = try append(type)
            values[wire].isSampled = isSampled
            values[wire].isDifferentiable = carries && type.isReal
            values[wire].isParametric = isParametric
            wires.append(wire)
        }
        let step = Step(node: current.node, operation: operation, inputs: inputs.map { $0.map { values[$0].root } }, outputs: wires)
        if isSampled {
            steps.append(step)
            return wires
        }
        let constantBytes = outputs.reduce(0) { $0.addingClamped($1.count.multipliedClamped(by: $1.isReal ? MemoryLayout<F>.size : 8)) }
        guard limits.meter?(constantBytes) ?? true else { throw error(.stopped, "the compilation was stopped") }
        foldedOperations += operation.operations
        for type in outputs { foldedBytes += type.count * (type.isReal ? MemoryLayout<F>.size : 8) }
        guard foldedOperations <= limits.foldedOperations, foldedBytes <= limits.foldedBytes else {
            throw error(.tooLarge, "constants that are too large, or take too long, to be evaluated")
        }
        for wire in wires { values[wire].constant = allocate(values[wire].type) }
        let tile = ForwardTile<F>(samples: 1, inputs: step.inputs.map(staticPort), outputs: wires.map { staticPort($0) })
        do { try operation.values(tile) } catch {
            throw GraphError(error.reason == .points ? .invalid : error.reason, node: current.node, operation: current.operation, error.detail)
        }
        if isParametric { staticSteps.append(step) }
        return wires
    }

    mutating func add(_ operation: any Operation, _ inputs: [Wire?], _ output: TensorType) throws(GraphError) -> Wire {
        try add(operation, inputs, [output])[0]
    }

    private func allocate(_ type: TensorType) -> Buffer {
        type.isReal ? Buffer(F.self, count: type.count) : Buffer(Int64.self, count: type.count)
    }

    private func staticPort(_ wire: Wire?) -> Port {
        guard let wire, let constant = values[wire].constant else { return .absent }
        let type = values[wire].type
        return Port(address: constant.address, stride: 0, count: type.count, size: type.isReal ? MemoryLayout<F>.stride : 8)
    }

    /// The same numbers as a constant without derivative.
    mutating func detached(_ wire: Wire) -> Wire {
        guard values[wire].isDifferentiable else { return wire }
        var value = values[wire]
        value.isDifferentiable = false
        value.parameter = nil
        value.constant = values[value.root].constant
        guard !value.isSampled else { return wire }
        value.root = values.count
        values.append(value)
        return value.root
    }
}
