/// y_i = x[map_i], or a number where map_i is -1: padding, tiling, resizing, triangles, by places that are known when the graph is compiled.
struct IndexMap: Operation {
    let map: [Int32]
    /// Where nothing is read.
    let fill: Double
    let isReal: Bool

    var operations: Double { Double(map.count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .nothing }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            if isReal {
                let (x, y, fill) = (tile.input(0, sample), tile.output(sample), F(fill))
                for (index, place) in map.enumerated() { y[index] = place < 0 ? fill : x[Int(place)] }
            } else {
                let (x, y, fill) = (tile.integers(0, sample), tile.integerOutput(sample), Int64(exactly: fill) ?? 0)
                for (index, place) in map.enumerated() { y[index] = place < 0 ? fill : x[Int(place)] }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for row in 0..<tile.rows {
            let (g, target) = (tile.cotangent(row), tile.gradient(0, row))
            for (index, place) in map.enumerated() where place >= 0 { target[Int(place)] += g[index] }
        }
    }
}

extension GraphBuilder {
    /// y at each place of a shape from x at the place that each axis's list gives; -1: the fill.
    mutating func indexed(_ input: Wire, axes: [[Int]], fill: Double = 0) throws(GraphError) -> Wire {
        let type = type(input)
        let shape = axes.map(\.count)
        guard shape.reduce(1.0, { $0 * Double($1) }) <= Double(limits.elements) else {
            throw error(.tooLarge, "a tensor of shape \(shape); \(limits.elements) elements are allowed")
        }
        var map: [Int32] = [0]
        for (axis, places) in axes.enumerated() {
            var next: [Int32] = []
            next.reserveCapacity(map.count * places.count)
            for start in map { for place in places { next.append(start < 0 || place < 0 ? -1 : start * Int32(type.shape[axis]) + Int32(place)) } }
            map = next
        }
        return try add(IndexMap(map: map, fill: fill, isReal: type.isReal), [input], TensorType(type.kind, shape))
    }
}

struct PadRule: OperatorRule {
    let operators = ["Pad"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let shape = graph.shape(input)
        let pads = try graph.integers(try node.input(1), "pads")
        var fill = 0.0
        if let wire = node.optional(2), graph.type(wire).count == 1 { fill = try graph.reals(wire, "the value")[0] }
        var axes = Array(shape.indices)
        if let wire = node.optional(3) {
            axes = []
            for axis in try graph.integers(wire, "axes") { axes.append(try node.axis(axis, rank: shape.count)) }
        }
        guard pads.count == 2 * axes.count, Set(axes).count == axes.count else { throw node.invalid("\(pads.count) pads for \(axes.count) axes") }
        var places = shape.map { Array(0..<$0) }
        let mode = try node.string("mode", "constant")
        for (index, axis) in axes.enumerated() {
            let (low, high, extent) = (pads[index], pads[index + axes.count], shape[axis])
            guard low.magnitude <= 1 << 28, high.magnitude <= 1 << 28, extent + low + high >= 0 else {
                throw node.invalid("pads \(pads) of shape \(shape)")
            }
            let wanted = Array(-low..<max(-low, extent + high))
            guard extent > 0 || mode == "constant" else { throw node.invalid("mode \(mode) of an empty axis") }
            switch mode {
            case "constant": places[axis] = wanted.map { 0..<extent ~= $0 ? $0 : -1 }
            case "edge": places[axis] = wanted.map { min(max($0, 0), extent - 1) }
            case "wrap": places[axis] = wanted.map { (($0 % extent) + extent) % extent }
            case "reflect":
                let period = max(2 * (extent - 1), 1)
                places[axis] = wanted.map {
                    let place = (($0 % period) + period) % period
                    return min(place, period - place)
                }
                if extent == 1 { places[axis] = wanted.map { _ in 0 } }
            default: throw node.unsupported("mode \"\(mode)\"")
            }
        }
        return [try graph.indexed(input, axes: places, fill: fill)]
    }
}

struct TileRule: OperatorRule {
    let operators = ["Tile", "Trilu"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = graph.type(input)
        if node.operation == "Tile" {
            let repeats = try graph.integers(try node.input(1), "repeats")
            guard repeats.count == type.rank, repeats.allSatisfy({ 0...1 << 24 ~= $0 }) else {
                throw node.invalid("repeats \(repeats) of shape \(type.shape)")
            }
            let total = zip(repeats, type.shape).map { Double($0) * Double($1) }
            guard total.allSatisfy({ $0 <= Double(graph.limits.elements) }) else { throw node.error(.tooLarge, "repeats \(repeats)") }
            return [try graph.indexed(input, axes: zip(type.shape, repeats).map { extent, times in (0..<extent * times).map { $0 % extent } })]
        }
        guard type.rank >= 2, type.count <= Int(Int32.max) else { throw node.invalid("shape \(type.shape)") }
        var shift = 0
        if let wire = node.optional(1) { shift = try graph.integer(wire, "k") }
        let isUpper = try node.flag("upper", true)
        let (rows, columns) = (type.shape[type.rank - 2], type.shape[type.rank - 1])
        let map = (0..<type.count).map { index -> Int32 in
            let distance = index % columns - index / columns % rows
            return (isUpper ? distance >= shift : distance <= shift) ? Int32(index) : -1
        }
        return [try graph.add(IndexMap(map: map, fill: 0, isReal: type.isReal), [input], type)]
    }
}
