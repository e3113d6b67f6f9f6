/// y_i = Σ_{j ≤ i} x_j along an axis, from the other end or without x_i itself where it says so.
struct CumSumOperation: Operation {
    let outer: Int
    let extent: Int
    let inner: Int
    let isReversed: Bool
    let isExclusive: Bool
    let isReal: Bool

    var operations: Double { Double(outer * extent * inner) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .nothing }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            if isReal {
                let (x, y) = (tile.input(0, sample), tile.output(sample))
                y.fill(0)
                scan(isReversed, F.zero, { $0 + x[$1] }, { y[$0] += $1 })
            } else {
                let (x, y) = (tile.integers(0, sample), tile.integerOutput(sample))
                scan(isReversed, Int64(0), { $0 &+ x[$1] }, { y[$0] = $1 })
            }
        }
    }

    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for row in 0..<tile.rows {
            let (g, target) = (tile.cotangent(row), tile.gradient(0, row))
            scan(!isReversed, F.zero, { $0 + g[$1] }, { target[$0] += $1 })
        }
    }

    @inline(__always)
    private func scan<Value>(_ isReversed: Bool, _ zero: Value, _ add: (Value, Int) -> Value, _ put: (Int, Value) -> Void) {
        for o in 0..<outer {
            for i in 0..<inner {
                var sum = zero
                for t in 0..<extent {
                    let place = (o * extent + (isReversed ? extent - 1 - t : t)) * inner + i
                    if isExclusive { put(place, sum) }
                    sum = add(sum, place)
                    if !isExclusive { put(place, sum) }
                }
            }
        }
    }
}

struct CumSumRule: OperatorRule {
    let operators = ["CumSum"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let type = graph.type(input)
        let axis = try node.axis(try graph.integer(try node.input(1), "the axis"), rank: type.rank)
        let operation = CumSumOperation(
            outer: type.shape.product(0..<axis), extent: type.shape[axis], inner: type.shape.product(axis + 1..<type.rank),
            isReversed: try node.flag("reverse"), isExclusive: try node.flag("exclusive"), isReal: type.isReal)
        return [try graph.add(operation, [input], type)]
    }
}
