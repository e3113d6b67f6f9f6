/// y = x[…, index, …]: slices of an axis at places that may depend on the point. The derivative adds to the places that were read.
struct GatherOperation: Operation {
    /// Product of the extents before the axis, its extent, and the product behind it.
    let outer: Int
    let extent: Int
    let inner: Int
    let indices: Int
    let isReal: Bool

    var operations: Double { Double(outer * indices * inner) }
    var isDifferentiable: Bool { isReal }
    var backwardReads: BackwardReads { .inputs(1) }

    @inline(__always)
    private func place(_ index: Int64) throws(GraphError) -> Int {
        guard index >= -Int64(extent), index < Int64(extent) else {
            throw GraphError(.points, "index \(index) of an axis of \(extent)")
        }
        return Int(index < 0 ? index + Int64(extent) : index)
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let index = tile.integers(1, sample)
            for i in 0..<indices {
                let place = try place(index[i])
                for o in 0..<outer {
                    let (target, source) = ((o * indices + i) * inner, (o * extent + place) * inner)
                    if isReal {
                        tile.output(sample).from(target).copy(tile.input(0, sample).from(source, inner))
                    } else {
                        tile.integerOutput(sample).from(target).copy(tile.integers(0, sample).from(source, inner))
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
            let index = tile.integers(1, row / tile.cotangents)
            for i in 0..<indices {
                let place = try place(index[i])
                for o in 0..<outer {
                    tile.gradient(0, row).from((o * extent + place) * inner, inner)
                        .add(tile.cotangent(row).from((o * indices + i) * inner, inner))
                }
            }
        }
    }

    /// Rows of a table: u_t is one-hot at the index.
    func outerProducts(of input: Int) -> OuterProducts? {
        guard input == 0, outer == 1 else { return nil }
        return OuterProducts(positions: indices, sampleExtent: extent, rowExtent: inner, sampleIsFirst: true, isOneHot: true, rowIsCotangent: true)
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            let (index, places) = (tile.integers(1, sample), target.indices(sample))
            for i in 0..<indices { places[i] = Int64(try place(index[i])) }
        }
        guard target.wantsRow else { return }
        for row in 0..<tile.rows { target.rowFactor(row).copy(tile.cotangent(row)) }
    }
}

struct GatherRule: OperatorRule {
    let operators = ["Gather"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, index) = (try node.input(0), try node.input(1))
        let type = graph.type(input)
        guard graph.kind(index) == .integer else { throw node.invalid("indices that are no integers") }
        let axis = try node.axis(try node.int("axis", 0), rank: type.rank)
        let indexShape = graph.shape(index)
        let shape = Array(type.shape[..<axis]) + indexShape + Array(type.shape[(axis + 1)...])
        // One known place is a slice.
        if graph.isStatic(index), graph.type(index).count == 1 {
            let place = try graph.integer(index, "the index")
            let extent = type.shape[axis]
            guard place >= -extent, place < extent else { throw node.invalid("index \(place) of an axis of \(extent)") }
            let slice = try graph.slice(input, axis: axis, from: place < 0 ? place + extent : place, count: 1)
            return [try graph.reshape(slice, to: shape)]
        }
        let operation = GatherOperation(
            outer: type.shape.product(0..<axis), extent: type.shape[axis], inner: type.shape.product(axis + 1..<type.rank),
            indices: graph.type(index).count, isReal: type.isReal)
        return [try graph.add(operation, [input, index], TensorType(type.kind, shape))]
    }
}
