/// (x − zero point)·scale of integers, the scale one for all, one for each place of an axis, or one for each block of them.
struct DequantizeRule: OperatorRule {
    let operators = ["DequantizeLinear"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, scale) = (try node.input(0), try node.input(1))
        let shape = graph.shape(input)
        guard graph.kind(input) == .integer, graph.kind(scale) == .real else {
            throw node.invalid("an input of type \(graph.type(input)), a scale of type \(graph.type(scale))")
        }
        let axis = graph.type(scale).count == 1 ? 0 : try node.axis(try node.int("axis", 1), rank: shape.count)
        let block = try node.int("block_size", 0)
        /// Repeated to where it counts.
        func along(_ wire: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            let own = graph.shape(wire)
            if graph.type(wire).count == 1 { return try graph.reshape(wire, to: []) }
            if own.count == 1, block == 0, own[0] == shape[axis] {
                return try graph.reshape(wire, to: shape.indices.map { $0 == axis ? shape[axis] : 1 })
            }
            guard block > 0, own.count == shape.count, own[axis] == (shape[axis] + block - 1) / block,
                own.indices.allSatisfy({ $0 == axis || own[$0] == shape[$0] })
            else { throw node.invalid("a scale or zero point of shape \(own) for an input of shape \(shape)") }
            var places = own.map { Array(0..<$0) }
            places[axis] = (0..<shape[axis]).map { $0 / block }
            return try graph.indexed(wire, axes: places)
        }
        var value = try graph.cast(input, to: .real)
        if let zero = node.optional(2) {
            guard graph.kind(zero) == .integer else { throw node.invalid("a zero point of type \(graph.type(zero))") }
            value = try graph.binary(.subtract, value, try along(try graph.cast(zero, to: .real), &graph))
        }
        return [try graph.binary(.multiply, value, try along(scale, &graph))]
    }
}
