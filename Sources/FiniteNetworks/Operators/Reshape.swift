internal import LinearAlgebra

/// Other shapes of the same numbers: no work at all.
struct ReshapeRule: OperatorRule {
    let operators = ["Reshape", "Flatten", "Squeeze", "Unsqueeze"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        switch node.operation {
        case "Reshape":
            return [try graph.reshape(input, to: try target(node, shape, try graph.integers(try node.input(1), "the shape")))]
        case "Flatten":
            let axis = try node.int("axis", 1)
            guard axis >= -shape.count, axis <= shape.count else { throw node.invalid("axis \(axis) of a tensor of \(shape.count) axes") }
            let place = axis < 0 ? axis + shape.count : axis
            return [try graph.reshape(input, to: [shape.product(0..<place), shape.product(place..<shape.count)])]
        case "Squeeze":
            var given = try node.ints("axes")
            if given == nil, let wire = node.optional(1) { given = try graph.integers(wire, "axes") }
            let axes = try given.map { axes throws(GraphError) in try node.axes(axes, rank: shape.count) } ?? shape.indices.filter { shape[$0] == 1 }
            guard axes.allSatisfy({ shape[$0] == 1 }) else { throw node.invalid("axes \(axes) of shape \(shape) are not all of extent 1") }
            return [try graph.reshape(input, to: shape.indices.filter { !axes.contains($0) }.map { shape[$0] })]
        default:
            var given = try node.ints("axes")
            if given == nil { given = try graph.integers(try node.input(1), "axes") }
            let rank = shape.count + (given ?? []).count
            guard rank <= 64 else { throw node.invalid("\(rank) axes") }
            let axes = try node.axes(given ?? [], rank: rank)
            var left = shape[...]
            return [try graph.reshape(input, to: (0..<rank).map { axes.contains($0) ? 1 : left.removeFirst() })]
        }
    }

    private func target(_ node: Node, _ shape: [Int], _ wanted: [Int]) throws(GraphError) -> [Int] {
        let keepsZero = try node.flag("allowzero")
        var target = wanted
        for (index, extent) in wanted.enumerated() where extent == 0 && !keepsZero {
            guard index < shape.count else { throw node.invalid("shape \(wanted) copies axis \(index) of shape \(shape)") }
            target[index] = shape[index]
        }
        let open = target.indices.filter { target[$0] == -1 }
        guard open.count <= 1, target.allSatisfy({ $0 >= -1 }) else { throw node.invalid("shape \(wanted)") }
        if let place = open.first {
            let known = target.filter { $0 != -1 }.clampedProduct
            let count = shape.clampedProduct
            guard known > 0, count % known == 0 else { throw node.invalid("\(count) elements do not have shape \(wanted)") }
            target[place] = count / known
        }
        return target
    }
}

/// Operators that do nothing when a network is evaluated.
struct IdentityRule: OperatorRule {
    let operators = ["Identity", "Dropout"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        guard node.operation == "Dropout" else { return [input] }
        if let wire = node.optional(2), try graph.integer(wire, "training_mode") != 0 {
            throw node.unsupported("dropout in training mode is random; export the model in evaluation mode")
        }
        guard node.wantsOutput(1) else { return [input] }
        let count = graph.type(input).count
        return [input, try graph.constant(integers: Array(repeating: 1, count: count), shape: graph.shape(input), kind: .boolean)]
    }
}
