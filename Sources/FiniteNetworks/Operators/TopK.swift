/// Places of the k largest or smallest numbers along an axis, the first of equal ones first.
struct TopKPlaces: ConstantOperation {
    /// Product of the extents before the axis, its extent, and the product behind it.
    let outer: Int
    let extent: Int
    let inner: Int
    let count: Int
    let isLargest: Bool
    let isReal: Bool

    var operations: Double { 8 * Double(outer * extent * inner) }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let y = tile.integerOutput(sample)
            if isReal { sort(tile.input(0, sample), y) { $0 < $1 } } else { sort(tile.integers(0, sample), y) { $0 < $1 } }
        }
    }

    @inline(__always)
    private func sort<Number>(_ x: Cells<Number>, _ y: Cells<Int64>, _ isLess: (Number, Number) -> Bool) {
        for o in 0..<outer {
            for i in 0..<inner {
                func number(_ place: Int) -> Number { x[(o * extent + place) * inner + i] }
                // Stable: equal numbers stay in their order. What is no number is neither before nor behind any other.
                let order = (0..<extent).sorted {
                    let (a, b) = (number($0), number($1))
                    if isLargest ? isLess(b, a) : isLess(a, b) { return true }
                    return (isLargest ? isLess(a, b) : isLess(b, a)) ? false : $0 < $1
                }
                for rank in 0..<count { y[(o * count + rank) * inner + i] = Int64(order[rank]) }
            }
        }
    }
}

/// The k largest or smallest numbers along an axis, and their places: a gather at the places.
struct TopKRule: OperatorRule {
    let operators = ["TopK"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = graph.type(input)
        let axis = try node.axis(try node.int("axis", -1), rank: type.rank)
        let count = try graph.integer(try node.input(1), "k")
        guard count >= 0, count <= type.shape[axis] else { throw node.invalid("\(count) of an axis of \(type.shape[axis])") }
        var shape = type.shape
        shape[axis] = count
        let places = TopKPlaces(
            outer: type.shape.product(0..<axis), extent: type.shape[axis], inner: type.shape.product(axis + 1..<type.rank), count: count,
            isLargest: try node.flag("largest", true), isReal: type.isReal)
        let index = try graph.add(places, [input], TensorType(.integer, shape))
        guard let form = IndexedGather.Form(elements: type.shape, axis: axis, indices: shape) else {
            throw node.invalid("an input of shape \(type.shape)")
        }
        let result = TensorType(type.kind, shape)
        return [try graph.add(IndexedGather(form: form, count: result.count, isReal: type.isReal), [input, index], result), index]
    }
}

/// The first places of each sequence in reverse order, as many as its length says.
struct ReverseSequenceRule: OperatorRule {
    let operators = ["ReverseSequence"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, lengths) = (try node.input(0), try node.input(1))
        let type = graph.type(input)
        let (time, batch) = (
            try node.axis(try node.int("time_axis", 0), rank: type.rank), try node.axis(try node.int("batch_axis", 1), rank: type.rank)
        )
        guard time != batch, graph.kind(lengths) == .integer, graph.type(lengths).count == type.shape[batch] else {
            throw node.invalid("lengths of shape \(graph.shape(lengths)) for an input of shape \(type.shape)")
        }
        func along(_ axis: Int) -> [Int] { type.shape.indices.map { $0 == axis ? type.shape[axis] : 1 } }
        let places = try graph.constant(integers: Array(0..<type.shape[time]), shape: along(time))
        let length = try graph.reshape(lengths, to: along(batch))
        let last = try graph.integerBinary(.subtract, length, try graph.constant(integers: [1], shape: []))
        let isWithin = try graph.integerBinary(.less, places, length, .boolean)
        let source = try graph.choose(isWithin, try graph.integerBinary(.subtract, last, places), places)
        let index = try graph.expand(source, to: type.shape)
        guard let form = IndexedGather.Form(elements: type.shape, axis: time, indices: type.shape) else {
            throw node.invalid("an input of shape \(type.shape)")
        }
        return [try graph.add(IndexedGather(form: form, count: type.count, isReal: type.isReal), [input, index], type)]
    }
}

/// The places of an axis, or of all elements, for which a condition holds that does not depend on the point.
struct CompressRule: OperatorRule {
    let operators = ["Compress"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var input = try node.input(0)
        let conditions = try graph.integers(try node.input(1), "the condition")
        var axis = 0
        if node.has("axis") {
            axis = try node.axis(try node.int("axis"), rank: graph.shape(input).count)
        } else {
            input = try graph.reshape(input, to: [graph.type(input).count])
        }
        let extent = graph.shape(input)[axis]
        guard conditions.count <= extent else { throw node.invalid("\(conditions.count) conditions for an axis of \(extent)") }
        var places = graph.shape(input).map { Array(0..<$0) }
        places[axis] = conditions.indices.filter { conditions[$0] != 0 }
        return [try graph.indexed(input, axes: places)]
    }
}
