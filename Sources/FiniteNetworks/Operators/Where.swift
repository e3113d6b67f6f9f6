/// y = a where the condition holds, else b, all repeated to one shape.
struct WhereOperation: Operation {
    let count: Int
    let loop: StridedLoop
    let isReal: Bool

    var operations: Double { Double(count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .inputs(0) }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let strides = loop.runStrides
        for sample in 0..<tile.samples {
            let condition = tile.integers(0, sample)
            if isReal {
                let (a, b, y) = (tile.input(1, sample), tile.input(2, sample), tile.output(sample))
                loop.forEachRun { place, c, i, j in
                    for t in 0..<loop.run {
                        y[place + t] = condition[c + t * strides.first] != 0 ? a[i + t * strides.second] : b[j + t * strides.third]
                    }
                }
            } else {
                let (a, b, y) = (tile.integers(1, sample), tile.integers(2, sample), tile.integerOutput(sample))
                loop.forEachRun { place, c, i, j in
                    for t in 0..<loop.run {
                        y[place + t] = condition[c + t * strides.first] != 0 ? a[i + t * strides.second] : b[j + t * strides.third]
                    }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        let strides = loop.runStrides
        for input in 1...2 where tile.wants(input) {
            for row in 0..<tile.rows {
                let condition = tile.integers(0, row / tile.cotangents)
                let (g, target) = (tile.cotangent(row), tile.gradient(input, row))
                loop.forEachRun { place, c, i, j in
                    for t in 0..<loop.run where (condition[c + t * strides.first] != 0) == (input == 1) {
                        target[input == 1 ? i + t * strides.second : j + t * strides.third] += g[place + t]
                    }
                }
            }
        }
    }
}

struct WhereRule: OperatorRule {
    let operators = ["Where"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (condition, a, b) = (try node.input(0), try node.input(1), try node.input(2))
        let shapes = [condition, a, b].map { graph.shape($0) }
        guard graph.kind(condition) != .real, (graph.kind(a) == .real) == (graph.kind(b) == .real),
            let shape = Broadcasting.shape(shapes)
        else { throw node.invalid("a condition and values of types \([condition, a, b].map { graph.type($0) })") }
        let loop = StridedLoop(
            shape: shape, Broadcasting.strides(shapes[0], in: shape), Broadcasting.strides(shapes[1], in: shape),
            Broadcasting.strides(shapes[2], in: shape))
        let type = TensorType(graph.kind(a), shape)
        return [try graph.add(WhereOperation(count: type.count, loop: loop, isReal: type.isReal), [condition, a, b], type)]
    }
}
