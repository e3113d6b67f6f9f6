internal import ONNX

/// Scaled dot-product attention: Y = softmax(scale·Q Kᵀ + mask) V, head by head, with grouped keys, causal masks and soft caps.
struct AttentionRule: OperatorRule {
    let operators = ["Attention"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let known: Set = ["is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap", "softmax_precision"]
        guard node.node.attributes.keys.allSatisfy({ known.contains($0) }), node.inputs.dropFirst(6).allSatisfy({ $0 == nil }) else {
            throw node.unsupported("lengths of keys, windows: only \(known.sorted().joined(separator: ", ")) are served")
        }
        guard !node.wantsOutput(3) else { throw node.unsupported("the scores as an output") }
        let isFlat = graph.shape(try node.input(0)).count == 3
        let queryHeads = try node.int("q_num_heads", 0)
        let keyHeads = try node.int("kv_num_heads", 0)
        /// [batch, heads, length, width].
        func heads(_ place: Int, _ count: Int, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            let wire = try node.input(place)
            let shape = graph.shape(wire)
            guard isFlat else {
                guard shape.count == 4 else { throw node.invalid("input \(place) of shape \(shape)") }
                return wire
            }
            guard shape.count == 3, count > 0, shape[2] % count == 0 else {
                throw node.invalid("input \(place) of shape \(shape) for \(count) heads")
            }
            return try graph.transpose(try graph.reshape(wire, to: [shape[0], shape[1], count, shape[2] / count]), [0, 2, 1, 3])
        }
        let q = try heads(0, queryHeads, &graph)
        var (k, v) = (try heads(1, keyHeads, &graph), try heads(2, keyHeads, &graph))
        // Keys and values of earlier places come before those of the query's own.
        var pastLength = 0
        if let pastKeys = node.optional(4), let pastValues = node.optional(5) {
            guard graph.shape(pastKeys).count == 4, graph.shape(pastValues).count == 4 else {
                throw node.invalid("past keys and values of shapes \(graph.shape(pastKeys)), \(graph.shape(pastValues))")
            }
            pastLength = graph.shape(pastKeys)[2]
            k = try graph.concat([pastKeys, k], axis: 2)
            v = try graph.concat([pastValues, v], axis: 2)
        } else if node.optional(4) != nil || node.optional(5) != nil {
            throw node.invalid("past keys without past values, or the other way round")
        }
        let present = [k, v]
        let (qShape, kShape) = (graph.shape(q), graph.shape(k))
        guard kShape[1] > 0, qShape[1] % kShape[1] == 0, kShape[3] == qShape[3], graph.shape(v)[..<3] == kShape[..<3] else {
            throw node.invalid("queries, keys and values of shapes \(qShape), \(kShape), \(graph.shape(v))")
        }
        let group = qShape[1] / kShape[1]
        if group > 1 {
            func repeated(_ wire: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
                let s = graph.shape(wire)
                let wide = try graph.expand(try graph.reshape(wire, to: [s[0], s[1], 1, s[2], s[3]]), to: [s[0], s[1], group, s[2], s[3]])
                return try graph.reshape(wide, to: [s[0], s[1] * group, s[2], s[3]])
            }
            k = try repeated(k, &graph)
            v = try repeated(v, &graph)
        }
        let scale = try node.float("scale", 1 / Double(max(qShape[3], 1)).squareRoot())
        var scores = try graph.matMul(q, k, isTransposed: true, scale: scale)
        let cap = try node.float("softcap", 0)
        func capped(_ wire: Wire, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            guard cap > 0 else { return wire }
            return try graph.unary(.scale(cap), try graph.unary(.tanh, try graph.unary(.scale(1 / cap), wire)))
        }
        scores = try capped(scores, &graph)
        let infinity = try graph.constant(reals: [-.infinity], shape: [])
        if let mask = node.optional(3) {
            scores =
                graph.kind(mask) == .real ? try graph.binary(.add, scores, mask) : try graph.choose(mask, scores, infinity)
        }
        if try node.flag("is_causal") {
            let (rows, columns) = (qShape[2], kShape[2])
            try graph.check(TensorType(.boolean, [rows, columns]))
            let ones = (0..<rows * columns).map { $0 % max(columns, 1) <= $0 / max(columns, 1) + pastLength ? 1 : 0 }
            scores = try graph.choose(try graph.constant(integers: ones, shape: [rows, columns], kind: .boolean), scores, infinity)
        }
        let result = try graph.matMul(try graph.softmax(scores, axis: 3), v)
        guard isFlat else { return [result] + present }
        let shape = graph.shape(result)
        return [try graph.reshape(try graph.transpose(result, [0, 2, 1, 3]), to: [shape[0], shape[2], shape[1] * shape[3]])] + present
    }
}

/// Rotations of pairs of numbers by angles that belong to places: (x₁ cos − x₂ sin, x₁ sin + x₂ cos).
struct RotaryRule: OperatorRule {
    let operators = ["RotaryEmbedding"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var input = try node.input(0)
        let original = graph.shape(input)
        let isFlat = original.count == 3
        if isFlat {
            let heads = try node.int("num_heads", 0)
            guard heads > 0, original[2] % heads == 0 else { throw node.invalid("\(heads) heads of \(original[2]) numbers") }
            input = try graph.transpose(try graph.reshape(input, to: [original[0], original[1], heads, original[2] / heads]), [0, 2, 1, 3])
        }
        let shape = graph.shape(input)
        let given = try node.int("rotary_embedding_dim", 0)
        let width = given > 0 ? given : shape.last ?? 0
        guard shape.count == 4, width % 2 == 0, width <= shape[3] else { throw node.invalid("an input of shape \(original)") }
        func angles(_ place: Int, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            var table = try node.input(place)
            if let positions = node.optional(3) {
                let tableShape = graph.shape(table)
                guard tableShape.count == 2 else { throw node.invalid("a table of shape \(tableShape)") }
                let gather = GatherOperation(
                    outer: 1, extent: tableShape[0], inner: tableShape[1], indices: graph.type(positions).count, isReal: true)
                table = try graph.add(gather, [table, positions], TensorType(.real, graph.shape(positions) + [tableShape[1]]))
            }
            let tableShape = graph.shape(table)
            guard tableShape.count == 3, tableShape[2] == width / 2 else { throw node.invalid("angles of shape \(tableShape)") }
            return try graph.reshape(table, to: [tableShape[0], 1, tableShape[1], tableShape[2]])
        }
        let (cosine, sine) = (try angles(1, &graph), try angles(2, &graph))
        let isInterleaved = try node.flag("interleaved")
        let rotated = try graph.slice(input, axis: 3, from: 0, count: width)
        func half(_ index: Int, _ graph: inout GraphBuilder<F>) throws(GraphError) -> Wire {
            isInterleaved
                ? try graph.slice(rotated, axis: 3, from: index, count: width / 2, step: 2)
                : try graph.slice(rotated, axis: 3, from: index * (width / 2), count: width / 2)
        }
        let (x, y) = (try half(0, &graph), try half(1, &graph))
        let real = try graph.binary(.subtract, try graph.binary(.multiply, x, cosine), try graph.binary(.multiply, y, sine))
        let imaginary = try graph.binary(.add, try graph.binary(.multiply, x, sine), try graph.binary(.multiply, y, cosine))
        var result: Wire
        if isInterleaved {
            let wide = Array(shape[..<3]) + [width / 2, 1]
            result = try graph.concat([try graph.reshape(real, to: wide), try graph.reshape(imaginary, to: wide)], axis: 4)
            result = try graph.reshape(result, to: Array(shape[..<3]) + [width])
        } else {
            result = try graph.concat([real, imaginary], axis: 3)
        }
        if width < shape[3] { result = try graph.concat([result, try graph.slice(input, axis: 3, from: width, count: shape[3] - width)], axis: 3) }
        guard isFlat else { return [result] }
        return [try graph.reshape(try graph.transpose(result, [0, 2, 1, 3]), to: original)]
    }
}
