internal import LinearAlgebra

/// y[i₁, i₂, …] = x[offset + Σ i_a stride_a]: transposes, slices, and repetitions (stride 0). The derivative adds back to where a number came from.
struct StridedView: Operation {
    let count: Int
    let offset: Int
    let loop: StridedLoop
    let isReal: Bool
    /// Whether it swaps the two axes of a matrix [rows, columns]; then products with it are products with the matrix.
    var transposedMatrix: (rows: Int, columns: Int)?

    init(shape: [Int], strides: [Int], offset: Int = 0, isReal: Bool) {
        count = shape.clampedProduct
        self.offset = offset
        loop = StridedLoop(shape: shape, strides)
        self.isReal = isReal
    }

    var operations: Double { Double(count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .nothing }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            if isReal {
                copy(tile.input(0, sample), tile.output(sample))
            } else {
                copy(tile.integers(0, sample), tile.integerOutput(sample))
            }
        }
    }

    @inline(__always)
    private func copy<Element: BitwiseCopyable>(_ x: Cells<Element>, _ y: Cells<Element>) {
        let stride = loop.runStrides.first
        let (source, target) = unsafe (x.base, y.base)
        loop.forEachRun { place, start, _, _ in
            let (source, target) = unsafe (source + start + offset, target + place)
            if stride == 1 {
                unsafe target.update(from: source, count: loop.run)
            } else {
                for t in 0..<loop.run { unsafe target[t] = source[t * stride] }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        let stride = loop.runStrides.first
        for row in 0..<tile.rows {
            let (gBase, targetBase) = unsafe (tile.cotangent(row).base, tile.gradient(0, row).base)
            loop.forEachRun { place, start, _, _ in
                let (g, target) = unsafe (gBase + place, targetBase + start + offset)
                if stride == 1 {
                    for t in 0..<loop.run { unsafe target[t] += g[t] }
                } else {
                    for t in 0..<loop.run { unsafe target[t * stride] += g[t] }
                }
            }
        }
    }
}

extension GraphBuilder {
    mutating func view(_ input: Wire, shape: [Int], strides: [Int], offset: Int = 0) throws(GraphError) -> Wire {
        let type = type(input)
        return try add(
            StridedView(shape: shape, strides: strides, offset: offset, isReal: type.isReal), [input], TensorType(type.kind, shape))
    }

    mutating func transpose(_ input: Wire, _ permutation: [Int]) throws(GraphError) -> Wire {
        let shape = shape(input)
        let target = permutation.map { shape[$0] }
        // Where only axes of extent 1 move, the numbers stay where they are.
        if permutation.filter({ shape[$0] != 1 }) == permutation.filter({ shape[$0] != 1 }).sorted() { return try reshape(input, to: target) }
        let strides = shape.strides
        var operation = StridedView(shape: target, strides: permutation.map { strides[$0] }, isReal: kind(input) == .real)
        if permutation == [1, 0] { operation.transposedMatrix = (shape[0], shape[1]) }
        return try add(operation, [input], TensorType(kind(input), target))
    }

    /// A range of an axis, every `step`-th.
    mutating func slice(_ input: Wire, axis: Int, from start: Int, count: Int, step: Int = 1) throws(GraphError) -> Wire {
        var shape = shape(input)
        if start == 0, count == shape[axis], step == 1 { return input }
        var strides = shape.strides
        let offset = count == 0 ? 0 : start * strides[axis]
        strides[axis] *= step
        shape[axis] = count
        return try view(input, shape: shape, strides: strides, offset: offset)
    }

    /// Repeated to a larger shape.
    mutating func expand(_ input: Wire, to shape: [Int]) throws(GraphError) -> Wire {
        let own = self.shape(input)
        if own == shape { return input }
        // Leading axes of extent 1 repeat nothing.
        if own.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) { return try reshape(input, to: shape) }
        return try view(input, shape: shape, strides: Broadcasting.strides(own, in: shape))
    }
}

struct TransposeRule: OperatorRule {
    let operators = ["Transpose"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let rank = graph.shape(input).count
        let permutation = try node.ints("perm") ?? Array((0..<rank).reversed())
        guard permutation.sorted() == Array(0..<rank) else { throw node.invalid("perm \(permutation) of a tensor of \(rank) axes") }
        return [try graph.transpose(input, permutation)]
    }
}

struct ExpandRule: OperatorRule {
    let operators = ["Expand"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let wanted = try graph.integers(try node.input(1), "the shape")
        guard let shape = Broadcasting.shape([graph.shape(input), wanted]) else {
            throw node.invalid("a tensor of shape \(graph.shape(input)) is not repeated to \(wanted)")
        }
        return [try graph.expand(input, to: shape)]
    }
}

struct SliceRule: OperatorRule {
    let operators = ["Slice"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        var result = try node.input(0)
        let rank = graph.shape(result).count
        let starts = try graph.integers(try node.input(1), "starts")
        let ends = try graph.integers(try node.input(2), "ends")
        var axes = Array(0..<starts.count)
        if let wire = node.optional(3) { axes = try graph.integers(wire, "axes") }
        var steps = [Int](repeating: 1, count: starts.count)
        if let wire = node.optional(4) { steps = try graph.integers(wire, "steps") }
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
            throw node.invalid("\(starts.count) starts, \(ends.count) ends, \(axes.count) axes, \(steps.count) steps")
        }
        for index in starts.indices {
            let axis = try node.axis(axes[index], rank: rank)
            let extent = graph.shape(result)[axis]
            let step = steps[index]
            guard step != 0, step != .min else { throw node.invalid("a step of \(step)") }
            let low = step > 0 ? 0 : -1
            let high = step > 0 ? extent : extent - 1
            func place(_ value: Int) -> Int { min(max(value < 0 ? value.addingReportingOverflow(extent).partialValue : value, low), high) }
            // The least integer means "beyond the start".
            let start = min(max(starts[index] < 0 ? (starts[index] < -extent ? low : starts[index] + extent) : starts[index], 0), high)
            let end = ends[index] < -extent ? low : place(ends[index])
            let span = step > 0 ? end - start : start - end
            let width = step.magnitude > UInt(Int.max) ? Int.max : Int(step.magnitude)
            let count = span <= 0 ? 0 : (span - 1) / width + 1
            result = try graph.slice(result, axis: axis, from: max(start, 0), count: count, step: count <= 1 ? 1 : step)
        }
        return [result]
    }
}

/// Parts of an axis: of given sizes, or of equal ones.
struct SplitRule: OperatorRule {
    let operators = ["Split"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let axis = try node.axis(try node.int("axis", 0), rank: graph.shape(input).count)
        let extent = graph.shape(input)[axis]
        var sizes = try node.ints("split")
        if sizes == nil, let wire = node.optional(1) { sizes = try graph.integers(wire, "split") }
        let parts = try node.int("num_outputs", node.outputCount)
        guard parts > 0, parts <= max(node.outputCount, 1) else { throw node.invalid("\(parts) parts for \(node.outputCount) outputs") }
        let size = (extent + parts - 1) / parts
        let all = sizes ?? (0..<parts).map { max(0, min(size, extent - $0 * size)) }
        guard all.allSatisfy({ $0 >= 0 && $0 <= extent }), all.reduce(0, +) == extent else {
            throw node.invalid("parts of \(all) of an axis of \(extent)")
        }
        var start = 0
        var results: [Wire] = []
        for size in all {
            results.append(try graph.slice(input, axis: axis, from: start, count: size))
            start += size
        }
        return results
    }
}
