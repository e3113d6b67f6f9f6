internal import LinearAlgebra

/// Reads of single elements, or runs of them, at places that a tensor of integers gives: GatherElements and GatherND.
struct IndexedGather: Operation {
    enum Form: Sendable {
        /// y[i, j, k] = x[i, index[i, j, k], k] for the axis in the middle; `loop` runs over the index's shape with x's strides, the axis at 0.
        case elements(extent: Int, stride: Int, loop: StridedLoop)
        /// y[b, i, …] = x[b, index[b, i, 0], index[b, i, 1], …].
        case slices(batches: Int, perBatch: Int, extents: [Int], strides: [Int], batchStride: Int, run: Int)
    }

    let form: Form
    let count: Int
    let isReal: Bool

    var operations: Double { Double(count) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .inputs(1) }

    /// Calls `body` with the places of a run in y and in x, and its length.
    @inline(__always)
    func forEach(_ index: Cells<Int64>, _ body: (Int, Int, Int) -> Void) throws(GraphError) {
        var wrong: (index: Int64, extent: Int)?
        func place(_ value: Int64, _ extent: Int) -> Int? {
            guard value >= -Int64(extent), value < Int64(extent) else {
                wrong = (value, extent)
                return nil
            }
            return Int(value < 0 ? value + Int64(extent) : value)
        }
        switch form {
        case .elements(let extent, let stride, let loop):
            loop.forEachRun { start, source, _, _ in
                for t in 0..<loop.run {
                    guard let place = place(index[start + t], extent) else { return }
                    body(start + t, source + t * loop.runStrides.first + place * stride, 1)
                }
            }
        case .slices(let batches, let perBatch, let extents, let strides, let batchStride, let run):
            for batch in 0..<batches {
                for i in 0..<perBatch {
                    var source = batch * batchStride
                    let entry = batch * perBatch + i
                    for (axis, extent) in extents.enumerated() {
                        guard let place = place(index[entry * extents.count + axis], extent) else { continue }
                        source += place * strides[axis]
                    }
                    if wrong == nil { body(entry * run, source, run) }
                }
            }
        }
        if let wrong { throw GraphError(.points, "index \(wrong.index) of an axis of \(wrong.extent)") }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            try forEach(tile.integers(1, sample)) { target, source, count in
                if isReal {
                    tile.output(sample).from(target).copy(tile.input(0, sample).from(source, count))
                } else {
                    tile.integerOutput(sample).from(target).copy(tile.integers(0, sample).from(source, count))
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        for row in 0..<tile.rows {
            let (g, target) = (tile.cotangent(row), tile.gradient(0, row))
            try forEach(tile.integers(1, row / tile.cotangents)) { place, source, count in
                target.from(source, count).add(g.from(place, count))
            }
        }
    }
}

extension IndexedGather.Form {
    /// Places along an axis, for indices of a shape that is nowhere else larger than the tensor's; nil if it is.
    init?(elements shape: [Int], axis: Int, indices: [Int]) {
        guard indices.count == shape.count, indices.indices.allSatisfy({ $0 == axis || indices[$0] <= shape[$0] }) else { return nil }
        var strides = shape.strides
        let stride = strides[axis]
        strides[axis] = 0
        self = .elements(extent: shape[axis], stride: stride, loop: StridedLoop(shape: indices, strides))
    }

    /// Slices at tuples of places, and the shape of one; nil if the indices do not fit.
    static func slices(of shape: [Int], indices: [Int], batches: Int) -> (form: Self, rest: [Int])? {
        guard let depth = indices.last, batches >= 0, batches < indices.count, depth >= 1, batches + depth <= shape.count,
            Array(indices[..<batches]) == Array(shape[..<batches])
        else { return nil }
        let rest = Array(shape[(batches + depth)...])
        let form = Self.slices(
            batches: indices.product(0..<batches), perBatch: indices.product(batches..<indices.count - 1),
            extents: Array(shape[batches..<batches + depth]), strides: Array(shape.strides[batches..<batches + depth]),
            batchStride: shape.product(batches..<shape.count), run: rest.clampedProduct)
        return (form, rest)
    }
}

struct GatherElementsRule: OperatorRule {
    let operators = ["GatherElements"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, index) = (try node.input(0), try node.input(1))
        let (type, shape) = (graph.type(input), graph.shape(index))
        let axis = try node.axis(try node.int("axis", 0), rank: type.rank)
        guard graph.kind(index) == .integer, let form = IndexedGather.Form(elements: type.shape, axis: axis, indices: shape) else {
            throw node.invalid("indices of type \(graph.type(index)) for a tensor of shape \(type.shape)")
        }
        let result = TensorType(type.kind, shape)
        return [try graph.add(IndexedGather(form: form, count: result.count, isReal: type.isReal), [input, index], result)]
    }
}

struct GatherNDRule: OperatorRule {
    let operators = ["GatherND"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, index) = (try node.input(0), try node.input(1))
        let (type, shape) = (graph.type(input), graph.shape(index))
        let batches = try node.int("batch_dims", 0)
        guard graph.kind(index) == .integer, let (form, rest) = IndexedGather.Form.slices(of: type.shape, indices: shape, batches: batches)
        else { throw node.invalid("indices of type \(graph.type(index)) for a tensor of shape \(type.shape)") }
        let result = TensorType(type.kind, Array(shape.dropLast()) + rest)
        return [try graph.add(IndexedGather(form: form, count: result.count, isReal: type.isReal), [input, index], result)]
    }
}
