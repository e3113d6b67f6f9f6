/// y = x with updates written at places that a tensor of integers gives, or added to what is there, or the product, largest or smallest of both:
/// ScatterElements and ScatterND.
///
/// Written: x̄ += ȳ except where an update stands, ū += ȳ at its place; places that are written twice hold the last update. Equal largest or
/// smallest numbers share the derivative, as in torch's scatter_reduce.
struct ScatterOperation: Operation {
    enum Reduction: String, CaseIterable, Sendable {
        case none, add
        case product = "mul"
        case largest = "max"
        case smallest = "min"
    }

    /// Where each run of updates goes: the reads of a gather at the same places.
    let places: IndexedGather
    let count: Int
    let reduction: Reduction
    let isReal: Bool

    var operations: Double { Double(count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { reduction == .none || reduction == .add ? .inputs(1) : .everything }
    private var adds: Bool { reduction == .add }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let index = tile.integers(1, sample)
            if isReal {
                let (x, updates, y) = (tile.input(0, sample), tile.input(2, sample), tile.output(sample))
                y.copy(x)
                try places.forEach(index) { source, target, count in
                    switch reduction {
                    case .none: y.from(target, count).copy(updates.from(source, count))
                    case .add: y.from(target, count).add(updates.from(source, count))
                    case .product: for i in 0..<count { y[target + i] *= updates[source + i] }
                    case .largest: for i in 0..<count { y[target + i] = max(y[target + i], updates[source + i]) }
                    case .smallest: for i in 0..<count { y[target + i] = min(y[target + i], updates[source + i]) }
                    }
                }
            } else {
                let (x, updates, y) = (tile.integers(0, sample), tile.integers(2, sample), tile.integerOutput(sample))
                y.copy(x)
                try places.forEach(index) { source, target, count in
                    for i in 0..<count {
                        let (old, new) = (y[target + i], updates[source + i])
                        y[target + i] =
                            switch reduction {
                            case .none: new
                            case .add: old &+ new
                            case .product: old &* new
                            case .largest: max(old, new)
                            case .smallest: min(old, new)
                            }
                    }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard reduction == .none || adds else { return try reducedCotangents(tile) }
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

    /// Of products and extremes: each number's slope is that of its own place.
    @inline(__always)
    private func reducedCotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        let buffer = Buffer(F.self, count: 2 * count)
        defer { withExtendedLifetime(buffer) {} }
        // Of a product the factors that are not zero, and how many are; of an extreme how many numbers it is.
        let (first, second) = (buffer.cells(F.self, 2 * count).from(0, count), buffer.cells(F.self, 2 * count).from(count))
        for sample in 0..<tile.samples {
            let (x, index, updates, y) = (tile.input(0, sample), tile.integers(1, sample), tile.input(2, sample), tile.result(sample))
            first.fill(reduction == .product ? 1 : 0)
            second.fill(0)
            func note(_ number: F, at place: Int) {
                if reduction != .product {
                    if number == y[place] { first[place] += 1 }
                } else if number == 0 {
                    second[place] += 1
                } else {
                    first[place] *= number
                }
            }
            func slope(_ number: F, at place: Int) -> F {
                if reduction != .product { return number == y[place] ? 1 / first[place] : 0 }
                return second[place] == 0 ? first[place] / number : second[place] == 1 && number == 0 ? first[place] : 0
            }
            for place in 0..<count { note(x[place], at: place) }
            try places.forEach(index) { source, place, run in for i in 0..<run { note(updates[source + i], at: place + i) } }
            for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                let g = tile.cotangent(row)
                if tile.wants(0) {
                    let target = tile.gradient(0, row)
                    for place in 0..<count { target[place] += slope(x[place], at: place) * g[place] }
                }
                guard tile.wants(2) else { continue }
                let target = tile.gradient(2, row)
                try places.forEach(index) { source, place, run in
                    for i in 0..<run { target[source + i] += slope(updates[source + i], at: place + i) * g[place + i] }
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
        let name = try node.string("reduction", "none")
        guard let reduction = ScatterOperation.Reduction(rawValue: name) else {
            let served = ScatterOperation.Reduction.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw node.unsupported("reduction \"\(name)\"; \(served) are served")
        }
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
        let operation = ScatterOperation(places: places, count: type.count, reduction: reduction, isReal: type.isReal)
        return [try graph.add(operation, [input, index, updates], type)]
    }
}
