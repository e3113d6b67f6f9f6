/// y = x with updates written, or added, at places that a tensor of integers gives: ScatterElements and ScatterND.
///
/// x̄ += ȳ except where an update stands, ū += ȳ at its place. Places that are written twice hold the last update.
struct ScatterOperation: Operation {
    /// Where each run of updates goes: the reads of a gather at the same places.
    let places: IndexedGather
    let count: Int
    let adds: Bool
    let isReal: Bool

    var operations: Double { Double(count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .inputs(1) }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let index = tile.integers(1, sample)
            if isReal {
                let (x, updates, y) = (tile.input(0, sample), tile.input(2, sample), tile.output(sample))
                y.copy(x)
                try places.forEach(index) { source, target, count in
                    if adds {
                        y.from(target, count).add(updates.from(source, count))
                    } else {
                        y.from(target, count).copy(updates.from(source, count))
                    }
                }
            } else {
                let (x, updates, y) = (tile.integers(0, sample), tile.integers(2, sample), tile.integerOutput(sample))
                y.copy(x)
                try places.forEach(index) { source, target, count in
                    for i in 0..<count { y[target + i] = adds ? y[target + i] &+ updates[source + i] : updates[source + i] }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        // The update that each place holds, run by run; -1: the input itself.
        let owners = Buffer(Int64.self, count: count)
        defer { withExtendedLifetime(owners) {} }
        let owner = owners.cells(Int64.self, count)
        for sample in 0..<tile.samples {
            owner.fill(-1)
            if !adds {
                try places.forEach(tile.integers(1, sample)) { source, target, run in
                    for i in 0..<run { owner[target + i] = Int64(source + i) }
                }
            }
            for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                let g = tile.cotangent(row)
                if tile.wants(0) {
                    let target = tile.gradient(0, row)
                    for place in 0..<count where owner[place] < 0 { target[place] += g[place] }
                }
                guard tile.wants(2) else { continue }
                let target = tile.gradient(2, row)
                if adds {
                    try places.forEach(tile.integers(1, sample)) { source, place, run in target.from(source, run).add(g.from(place, run)) }
                } else {
                    for place in 0..<count where owner[place] >= 0 { target[Int(owner[place])] += g[place] }
                }
            }
        }
    }
}

struct ScatterRule: OperatorRule {
    let operators = ["ScatterElements", "ScatterND"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, index, updates) = (try node.input(0), try node.input(1), try node.input(2))
        let (type, shape) = (graph.type(input), graph.shape(index))
        let reduction = try node.string("reduction", "none")
        guard reduction == "none" || reduction == "add" else { throw node.unsupported("reduction \"\(reduction)\"; \"none\" and \"add\" are served") }
        guard graph.kind(index) == .integer, (graph.kind(updates) == .real) == type.isReal else {
            throw node.invalid("indices and updates of types \(graph.type(index)) and \(graph.type(updates))")
        }
        let places: IndexedGather
        if node.operation == "ScatterElements" {
            let axis = try node.axis(try node.int("axis", 0), rank: type.rank)
            guard graph.shape(updates) == shape, let form = IndexedGather.Form(elements: type.shape, axis: axis, indices: shape) else {
                throw node.invalid("indices of shape \(shape), updates of shape \(graph.shape(updates)) for a tensor of shape \(type.shape)")
            }
            places = IndexedGather(form: form, count: graph.type(updates).count, isReal: type.isReal)
        } else {
            guard let (form, rest) = IndexedGather.Form.slices(of: type.shape, indices: shape, batches: 0),
                graph.shape(updates) == Array(shape.dropLast()) + rest
            else { throw node.invalid("indices of shape \(shape), updates of shape \(graph.shape(updates)) for a tensor of shape \(type.shape)") }
            places = IndexedGather(form: form, count: graph.type(updates).count, isReal: type.isReal)
        }
        let operation = ScatterOperation(places: places, count: type.count, adds: reduction == "add", isReal: type.isReal)
        return [try graph.add(operation, [input, index, updates], type)]
    }
}
