internal import LinearAlgebra

/// The first (or last) place of the largest or smallest number along an axis.
struct ArgOperation: ConstantOperation {
    let isLargest: Bool
    let isLast: Bool
    let outer: Int
    let extent: Int
    let inner: Int
    let isReal: Bool

    var operations: Double { Double(outer * extent * inner) }

    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let y = tile.integerOutput(sample)
            if isReal { find(tile.input(0, sample), y) } else { find(tile.integers(0, sample), y) }
        }
    }

    private func find<Element: Comparable & BitwiseCopyable>(_ x: Cells<Element>, _ y: Cells<Int64>) {
        for o in 0..<outer {
            for i in 0..<inner {
                var best = 0
                for place in 1..<max(extent, 1) {
                    let (value, old) = (x[(o * extent + place) * inner + i], x[(o * extent + best) * inner + i])
                    if isLargest ? (value > old || isLast && value == old) : (value < old || isLast && value == old) { best = place }
                }
                y[o * inner + i] = Int64(best)
            }
        }
    }
}

extension GraphBuilder {
    mutating func arg(_ node: Node, _ input: Wire, axis: Int, keeps: Bool) throws(GraphError) -> Wire {
        let shape = shape(input)
        guard shape[axis] > 0 else { throw invalid("an empty axis") }
        let operation = ArgOperation(
            isLargest: node.operation != "ArgMin", isLast: try node.flag("select_last_index"), outer: shape.product(0..<axis),
            extent: shape[axis], inner: shape.product(axis + 1..<shape.count), isReal: kind(input) == .real)
        var result = shape
        if keeps { result[axis] = 1 } else { result.remove(at: axis) }
        return try add(operation, [input], TensorType(.integer, result))
    }
}
