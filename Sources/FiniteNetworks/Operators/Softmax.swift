internal import LinearAlgebra

/// y = exp(x − max) / Σ exp(x − max) along an axis, or its logarithm.
///
/// x̄ += y (ȳ − Σ ȳ y); of the logarithm x̄ += ȳ − e^y Σ ȳ.
struct SoftmaxOperation: Operation {
    let isLogarithm: Bool
    let outer: Int
    let extent: Int
    let inner: Int

    var operations: Double { 10 * Double(outer * extent * inner) }
    var backwardReads: BackwardReads { .results }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            for o in 0..<outer {
                for i in 0..<inner {
                    let start = o * extent * inner + i
                    let (x, y) = (tile.input(0, sample).from(start), tile.output(sample).from(start))
                    var largest = -F.infinity
                    for t in 0..<extent { largest = max(largest, x[t * inner]) }
                    // All of minus infinity: NaN, as in torch.
                    var sum: F = 0
                    for t in 0..<extent {
                        let e = F.exp(x[t * inner] - largest)
                        sum += e
                        y[t * inner] = isLogarithm ? x[t * inner] - largest : e
                    }
                    if isLogarithm {
                        let logarithm = F.log(sum)
                        for t in 0..<extent { y[t * inner] -= logarithm }
                    } else {
                        let factor = 1 / sum
                        for t in 0..<extent { y[t * inner] *= factor }
                    }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for row in 0..<tile.rows {
            for o in 0..<outer {
                for i in 0..<inner {
                    let start = o * extent * inner + i
                    let y = tile.result(row / tile.cotangents).from(start)
                    let (g, target) = (tile.cotangent(row).from(start), tile.gradient(0, row).from(start))
                    var sum: F = 0
                    if !isLogarithm, inner == 1 {
                        let (g, y, target) = unsafe (g.base, y.base, target.base)
                        let sum = unsafe dotProduct(g, y, extent)
                        for t in 0..<extent { unsafe target[t] += y[t] * (g[t] - sum) }
                    } else if isLogarithm {
                        for t in 0..<extent { sum += g[t * inner] }
                        for t in 0..<extent { target[t * inner] += g[t * inner] - F.exp(y[t * inner]) * sum }
                    } else {
                        for t in 0..<extent { sum += g[t * inner] * y[t * inner] }
                        for t in 0..<extent { target[t * inner] += y[t * inner] * (g[t * inner] - sum) }
                    }
                }
            }
        }
    }
}

extension GraphBuilder {
    mutating func softmax(_ input: Wire, axis: Int, isLogarithm: Bool = false) throws(GraphError) -> Wire {
        let shape = shape(input)
        let operation = SoftmaxOperation(
            isLogarithm: isLogarithm, outer: shape.product(0..<axis), extent: shape[axis], inner: shape.product(axis + 1..<shape.count))
        return try add(operation, [input], type(input))
    }
}

/// Until operator set 12 all axes from the given one on are one.
struct SoftmaxRule: OperatorRule {
    let operators = ["Softmax", "LogSoftmax"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var input = try node.input(0)
        let shape = graph.shape(input)
        guard graph.kind(input) == .real, !shape.isEmpty else { throw node.invalid("an input of type \(graph.type(input))") }
        let isLogarithm = node.operation == "LogSoftmax"
        guard node.opset < 13 else {
            let axis = try node.axis(try node.int("axis", -1), rank: shape.count)
            return [try graph.softmax(input, axis: axis, isLogarithm: isLogarithm)]
        }
        let axis = try node.axis(try node.int("axis", 1), rank: shape.count)
        input = try graph.reshape(input, to: [shape.product(0..<axis), shape.product(axis..<shape.count)])
        return [try graph.reshape(try graph.softmax(input, axis: 1, isLogarithm: isLogarithm), to: shape)]
    }
}
