/// Functions of single numbers.
struct UnaryRule: OperatorRule {
    private static let plain: [String: UnaryFunction] = [
        "Relu": .relu, "Sigmoid": .sigmoid, "HardSwish": .hardSwish, "Softplus": .softplus, "Softsign": .softsign, "Mish": .mish, "Erf": .erf,
        "Tanh": .tanh, "Exp": .exp, "Log": .log, "Sqrt": .sqrt, "Reciprocal": .reciprocal, "Neg": .negate, "Abs": .abs, "Sin": .sin,
        "Cos": .cos, "Tan": .tan, "Asin": .asin, "Acos": .acos, "Atan": .atan, "Sinh": .sinh, "Cosh": .cosh, "Asinh": .asinh,
        "Acosh": .acosh, "Atanh": .atanh, "Floor": .floor, "Ceil": .ceil, "Round": .round, "Sign": .sign,
    ]

    let operators =
        plain.keys.sorted() + [
            "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSigmoid", "Gelu", "Shrink", "Swish", "BitwiseNot",
        ]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = graph.type(input)
        guard type.isReal else {
            guard type.kind == .integer, let function = IntegerUnary.Function(rawValue: node.operation) else {
                throw node.unsupported("an input of \(type.kind) numbers")
            }
            return [try graph.add(IntegerUnary(function: function, count: type.count), [input], type)]
        }
        return [try graph.unary(try function(node), input)]
    }

    private func function(_ node: Node) throws(GraphError) -> UnaryFunction {
        if let function = Self.plain[node.operation] { return function }
        switch node.operation {
        case "LeakyRelu": return .leakyRelu(try node.float("alpha", 0.01))
        case "Elu": return .elu(try node.float("alpha", 1))
        case "Selu":
            return .selu(
                alpha: try node.float("alpha", 1.67326319217681884765625), gamma: try node.float("gamma", 1.05070102214813232421875))
        case "Celu": return .celu(try node.float("alpha", 1))
        case "ThresholdedRelu": return .thresholdedRelu(try node.float("alpha", 1))
        case "HardSigmoid": return .hardSigmoid(alpha: try node.float("alpha", 0.2), beta: try node.float("beta", 0.5))
        case "Shrink": return .shrink(lambda: try node.float("lambd", 0.5), bias: try node.float("bias", 0))
        case "BitwiseNot": throw node.unsupported("an input of real numbers")
        case "Swish": return .swish(try node.float("alpha", 1))
        default:
            switch try node.string("approximate", "none") {
            case "none": return .gelu
            case "tanh": return .geluTanh
            case let other: throw node.unsupported("approximate \"\(other)\"; \"none\" and \"tanh\" are served")
            }
        }
    }
}

extension GraphBuilder {
    mutating func unary(_ function: UnaryFunction, _ input: Wire) throws(GraphError) -> Wire {
        let type = type(input)
        return try add(UnaryOperation(function: function, count: type.count), [input], type)
    }
}

/// Min and max are attributes before operator set 11, inputs since then.
struct ClipRule: OperatorRule {
    let operators = ["Clip"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = graph.type(input)
        guard type.isReal else {
            var result = input
            if let low = node.optional(1) { result = try graph.integerBinary(.maximum, result, low) }
            if let high = node.optional(2) { result = try graph.integerBinary(.minimum, result, high) }
            return [result]
        }
        // Bounds that depend on the point have derivatives of their own.
        let bounds = [node.optional(1), node.optional(2)].compactMap { $0 }
        guard bounds.allSatisfy({ graph.isStatic($0) }) else {
            var result = input
            if let low = node.optional(1) { result = try graph.binary(.maximum, result, low) }
            if let high = node.optional(2) { result = try graph.binary(.minimum, result, high) }
            return [result]
        }
        var (low, high) = (-Double.infinity, Double.infinity)
        if let wire = node.optional(1) { low = try scalar(graph.reals(wire, "min"), node) }
        if let wire = node.optional(2) { high = try scalar(graph.reals(wire, "max"), node) }
        return [try graph.unary(.clip(low: low, high: high), input)]
    }

    private func scalar(_ values: [Double], _ node: Node) throws(GraphError) -> Double {
        guard values.count == 1 else { throw node.invalid("a bound of \(values.count) elements") }
        return values[0]
    }
}

/// y = x for x ≥ 0, slope·x below, with a slope that is repeated to the shape of x.
struct PReluRule: OperatorRule {
    let operators = ["PRelu"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        [try graph.binary(.prelu, try node.input(0), try node.input(1))]
    }
}
