/// Tensors one behind the other along an axis.
struct ConcatOperation: Operation {
    /// Product of the extents before the axis.
    let outer: Int
    /// Elements of each input for one place before the axis.
    let widths: [Int]
    let isReal: Bool

    private var width: Int { widths.reduce(0, +) }

    var operations: Double { Double(outer * width) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .nothing }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let width = width
        for sample in 0..<tile.samples {
            var start = 0
            for (input, part) in widths.enumerated() {
                for place in 0..<outer {
                    if isReal {
                        tile.output(sample).from(place * width + start).copy(tile.input(input, sample).from(place * part, part))
                    } else {
                        tile.integerOutput(sample).from(place * width + start).copy(tile.integers(input, sample).from(place * part, part))
                    }
                }
                start += part
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        let width = width
        for row in 0..<tile.rows {
            var start = 0
            for (input, part) in widths.enumerated() {
                if tile.wants(input) {
                    for place in 0..<outer {
                        tile.gradient(input, row).from(place * part, part).add(tile.cotangent(row).from(place * width + start, part))
                    }
                }
                start += part
            }
        }
    }
}

extension GraphBuilder {
    mutating func concat(_ inputs: [Wire], axis: Int) throws(GraphError) -> Wire {
        if inputs.count == 1 { return inputs[0] }
        let shapes = inputs.map { shape($0) }
        var result = shapes[0]
        for shape in shapes.dropFirst() {
            guard shape.count == result.count, shape.indices.allSatisfy({ $0 == axis || shape[$0] == shapes[0][$0] }) else {
                throw invalid("shapes \(shapes) along axis \(axis)")
            }
            result[axis] += shape[axis]
        }
        guard inputs.allSatisfy({ (kind($0) == .real) == (kind(inputs[0]) == .real) }) else { throw invalid("integers with real numbers") }
        let type = TensorType(kind(inputs[0]), result)
        let operation = ConcatOperation(
            outer: result.product(0..<axis), widths: shapes.map { $0.product(axis..<$0.count) }, isReal: type.isReal)
        return try add(operation, inputs, type)
    }
}

struct ConcatRule: OperatorRule {
    let operators = ["Concat"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var inputs: [Wire] = []
        for index in node.inputs.indices { inputs.append(try node.input(index)) }
        guard let first = inputs.first else { throw node.invalid("no inputs") }
        return [try graph.concat(inputs, axis: try node.axis(try node.int("axis"), rank: graph.shape(first).count))]
    }
}

/// Sequences of tensors, as lists that are known when the graph is compiled.
struct SequenceRule: OperatorRule {
    let operators = ["SplitToSequence", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceLength", "ConcatFromSequence"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        func elements(_ wire: Wire) throws(GraphError) -> [Wire] {
            guard let elements = graph.values[wire].elements else { throw node.invalid("an input that is no sequence") }
            return elements
        }
        func place(_ index: Int, _ count: Int) throws(GraphError) -> Int {
            guard index >= -count, index < count else { throw node.invalid("place \(index) of a sequence of \(count)") }
            return index < 0 ? index + count : index
        }
        switch node.operation {
        case "SequenceEmpty": return [graph.sequence([])]
        case "SequenceConstruct":
            var inputs: [Wire] = []
            for index in node.inputs.indices { inputs.append(try node.input(index)) }
            return [graph.sequence(inputs)]
        case "SequenceLength": return [try graph.constant(integers: [try elements(try node.input(0)).count], shape: [])]
        case "SequenceAt":
            let all = try elements(try node.input(0))
            return [all[try place(try graph.integer(try node.input(1), "the place"), all.count)]]
        case "SequenceInsert":
            var all = try elements(try node.input(0))
            let index = try node.optional(2).map { wire throws(GraphError) in try graph.integer(wire, "the place") } ?? all.count
            all.insert(try node.input(1), at: index == all.count ? index : try place(index, all.count))
            return [graph.sequence(all)]
        case "ConcatFromSequence":
            var all = try elements(try node.input(0))
            guard let first = all.first else { throw node.invalid("an empty sequence") }
            let isNew = try node.flag("new_axis")
            let axis = try node.axis(try node.int("axis"), rank: graph.shape(first).count + (isNew ? 1 : 0))
            if isNew {
                for index in all.indices {
                    var shape = graph.shape(all[index])
                    shape.insert(1, at: axis)
                    all[index] = try graph.reshape(all[index], to: shape)
                }
            }
            return [try graph.concat(all, axis: axis)]
        default:
            let input = try node.input(0)
            let shape = graph.shape(input)
            let axis = try node.axis(try node.int("axis", 0), rank: shape.count)
            var sizes = Array(repeating: 1, count: shape[axis])
            if let wire = node.optional(1) {
                let given = try graph.integers(wire, "split")
                if graph.shape(wire).isEmpty {
                    guard given[0] > 0 else { throw node.invalid("parts of \(given[0])") }
                    sizes = stride(from: 0, to: shape[axis], by: given[0]).map { min(given[0], shape[axis] - $0) }
                } else {
                    sizes = given
                }
            }
            guard sizes.allSatisfy({ $0 >= 0 && $0 <= shape[axis] }), sizes.reduce(0, +) == shape[axis] else {
                throw node.invalid("parts of \(sizes) of an axis of \(shape[axis])")
            }
            let squeezes = try node.int("keepdims", 1) == 0 && node.optional(1) == nil
            var parts: [Wire] = []
            var start = 0
            for size in sizes {
                var part = try graph.slice(input, axis: axis, from: start, count: size)
                if squeezes {
                    var shape = graph.shape(part)
                    shape.remove(at: axis)
                    part = try graph.reshape(part, to: shape)
                }
                parts.append(part)
                start += size
            }
            return [graph.sequence(parts)]
        }
    }
}
