internal import LinearAlgebra
internal import ONNX

/// Tensors of the file itself.
struct ConstantRule: OperatorRule {
    let operators = ["Constant", "ConstantOfShape", "EyeLike"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        switch node.operation {
        case "Constant":
            for (name, value) in node.node.attributes {
                switch (name, value) {
                case ("value", .tensor(let tensor)): return [try graph.constant(tensor)]
                case ("value_int", .int(let value)): return [try graph.constant(integers: [value], shape: [])]
                case ("value_ints", .ints(let values)): return [try graph.constant(integers: values)]
                case ("value_float", .float(let value)): return [try graph.constant(reals: [Double(value)], shape: [])]
                case ("value_floats", .floats(let values)): return [try graph.constant(reals: values.map(Double.init), shape: [values.count])]
                default: continue
                }
            }
            throw node.unsupported("a constant that is no dense tensor of numbers")
        case "EyeLike":
            let shape = graph.shape(try node.input(0))
            guard shape.count == 2, shape.clampedProduct <= 1 << 24 else { throw node.invalid("shape \(shape)") }
            let shift = try node.int("k", 0)
            let ones = (0..<shape[0] * shape[1]).map { ($0 % shape[1]).subtractingReportingOverflow($0 / shape[1]).partialValue == shift ? 1 : 0 }
            let code = try node.int("dtype", 1)
            guard let type = ONNXElementType(rawValue: code) else { throw node.unsupported("element type \(code)") }
            let wire = try graph.constant(integers: ones, shape: shape)
            return [type.isReal ? try graph.cast(wire, to: .real) : wire]
        default:
            let shape = try graph.integers(try node.input(0), "the shape")
            guard shape.allSatisfy({ $0 >= 0 }) else { throw node.invalid("shape \(shape)") }
            var one = try graph.constant(reals: [0], shape: [])
            if case .tensor(let tensor) = node.node.attributes["value"] {
                guard tensor.count == 1 else { throw node.invalid("a value of \(tensor.count) elements") }
                one = try graph.reshape(try graph.constant(tensor), to: [])
            }
            return [try graph.expand(one, to: shape)]
        }
    }
}

/// Extents, which are constants: a network is compiled for one sample.
struct ShapeRule: OperatorRule {
    let operators = ["Shape", "Size"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let shape = graph.shape(try node.input(0))
        if node.operation == "Size" { return [try graph.constant(integers: [shape.clampedProduct], shape: [])] }
        func place(_ value: Int) -> Int { min(max(value < 0 ? value + shape.count : value, 0), shape.count) }
        let start = place(max(try node.int("start", 0), -shape.count))
        let end = place(max(try node.int("end", shape.count), -shape.count))
        return [try graph.constant(integers: start < end ? Array(shape[start..<end]) : [])]
    }
}

/// start, start + delta, … before limit.
struct RangeRule: OperatorRule {
    let operators = ["Range"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let inputs = (try node.input(0), try node.input(1), try node.input(2))
        if graph.kind(inputs.0) == .real {
            let (start, limit) = (try graph.reals(inputs.0, "start"), try graph.reals(inputs.1, "limit"))
            let delta = try graph.reals(inputs.2, "delta")
            guard start.count == 1, limit.count == 1, delta.count == 1, delta[0] != 0 else { throw node.invalid("a range without step") }
            let count = ((limit[0] - start[0]) / delta[0]).rounded(.up)
            guard count < 1e7 else { throw node.error(.tooLarge, "a range of \(count) numbers") }
            let values = (0..<(count > 0 ? Int(count) : 0)).map { start[0] + Double($0) * delta[0] }
            return [try graph.constant(reals: values, shape: [values.count])]
        }
        let (start, limit) = (try graph.integer(inputs.0, "start"), try graph.integer(inputs.1, "limit"))
        let delta = try graph.integer(inputs.2, "delta")
        guard delta != 0 else { throw node.invalid("a range without step") }
        let count = ((Double(limit) - Double(start)) / Double(delta)).rounded(.up)
        guard count < 1e7 else { throw node.error(.tooLarge, "a range of \(count) numbers") }
        return [try graph.constant(integers: (0..<(count > 0 ? Int(count) : 0)).map { start &+ $0 &* delta })]
    }
}
