/// Arithmetic of two tensors, real or integer.
struct BinaryRule: OperatorRule {
    private static let real: [String: BinaryFunction] = [
        "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Pow": .power, "Mod": .remainder,
    ]
    private static let integer: [String: IntegerFunction] = [
        "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Pow": .power, "BitwiseAnd": .and, "BitwiseOr": .or,
        "BitwiseXor": .xor,
    ]

    let operators = ["Add", "Sub", "Mul", "Div", "Pow", "Mod", "BitwiseAnd", "BitwiseOr", "BitwiseXor"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (a, b) = (try node.input(0), try node.input(1))
        if graph.kind(a) == .real {
            if node.operation == "Mod" {
                guard try node.flag("fmod") else { throw node.invalid("real numbers without fmod") }
                return [try graph.binary(.remainder, a, b)]
            }
            // Exponents may be integers.
            var exponent = b
            if graph.kind(b) != .real, node.operation == "Pow" { exponent = try graph.cast(b, to: .real) }
            if node.operation == "Pow", graph.isStatic(exponent), graph.type(exponent).count == 1,
                graph.shape(exponent).count <= graph.shape(a).count
            {
                switch try graph.reals(exponent, "the exponent")[0] {
                case 2: return [try graph.unary(.square, a)]
                case 0.5: return [try graph.unary(.sqrt, a)]
                case 1: return [a]
                case -1: return [try graph.unary(.reciprocal, a)]
                default: break
                }
            }
            guard let function = Self.real[node.operation] else { throw node.invalid("real numbers") }
            return [try graph.binary(function, a, exponent)]
        }
        let function = node.operation == "Mod" ? (try node.flag("fmod") ? .remainder : .modulo) : Self.integer[node.operation]
        guard let function else { throw node.invalid("integers") }
        return [try graph.integerBinary(function, a, b)]
    }
}

/// Operators of any number of tensors.
struct VariadicRule: OperatorRule {
    let operators = ["Max", "Min", "Sum", "Mean"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var result = try node.input(0)
        for index in node.inputs.indices.dropFirst() {
            let next = try node.input(index)
            if graph.kind(result) == .real {
                let function: BinaryFunction = node.operation == "Max" ? .maximum : node.operation == "Min" ? .minimum : .add
                result = try graph.binary(function, result, next)
            } else {
                let function: IntegerFunction = node.operation == "Max" ? .maximum : node.operation == "Min" ? .minimum : .add
                result = try graph.integerBinary(function, result, next)
            }
        }
        guard node.operation == "Mean" else { return [result] }
        return [try graph.unary(.scale(1 / Double(node.inputs.count)), result)]
    }
}
