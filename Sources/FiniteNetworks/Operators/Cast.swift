internal import ONNX

/// Numbers of another kind: real to integer toward zero, anything to boolean by "is not zero".
struct CastOperation: ConstantOperation {
    let from: ElementKind
    let to: ElementKind
    let count: Int

    var operations: Double { Double(count) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            switch (from, to) {
            case (.real, .boolean):
                let (x, y) = (tile.input(0, sample), tile.integerOutput(sample))
                for index in 0..<count { y[index] = x[index] == 0 ? 0 : 1 }
            case (.real, _):
                let (x, y) = (tile.input(0, sample), tile.integerOutput(sample))
                for index in 0..<count { y[index] = Int64(exactly: x[index].rounded(.towardZero)) ?? (x[index] > 0 ? .max : .min) }
            case (_, .real):
                let (x, y) = (tile.integers(0, sample), tile.output(sample))
                for index in 0..<count { y[index] = F(x[index]) }
            default:
                let (x, y) = (tile.integers(0, sample), tile.integerOutput(sample))
                for index in 0..<count { y[index] = x[index] == 0 ? 0 : 1 }
            }
        }
    }
}

extension GraphBuilder {
    mutating func cast(_ input: Wire, to kind: ElementKind) throws(GraphError) -> Wire {
        let type = type(input)
        // Booleans are integers 0 and 1.
        if type.kind == kind { return input }
        return try add(CastOperation(from: type.kind, to: kind, count: type.count), [input], TensorType(kind, type.shape))
    }
}

/// Casts among real types change nothing: a network is computed in one precision.
struct CastRule: OperatorRule {
    let operators = ["Cast", "CastLike"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let kind: ElementKind
        if node.operation == "CastLike" {
            kind = graph.kind(try node.input(1))
        } else {
            let code = try node.int("to")
            guard let type = ONNXElementType(rawValue: code), type.isReal || type.isInteger || type == .bool else {
                throw node.unsupported("a cast to element type \(code)")
            }
            kind = type.isReal ? .real : type == .bool ? .boolean : .integer
        }
        return [try graph.cast(input, to: kind)]
    }
}
