internal import LinearAlgebra

/// The adjoint of taking patches: y[c, place] = Σ over the windows that cover it of x[(c, tap), window] (Col2Im).
struct FoldOperation: Operation {
    let window: Window
    let channels: Int

    private var outputs: Int { channels * window.inputCount }
    private var inputs: Int { channels * window.kernelCount * window.outputCount }

    var operations: Double { Double(inputs) }
    var backwardReads: BackwardReads { .nothing }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        for sample in 0..<tile.samples {
            tile.output(sample).fill(0)
            window.scatter(tile.input(0, sample), channels: channels, tile.output(sample))
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        guard tile.wants(0) else { return }
        let buffer = Buffer(F.self, count: inputs)
        defer { withExtendedLifetime(buffer) {} }
        let patches = buffer.cells(F.self, inputs)
        for row in 0..<tile.rows {
            window.gather(tile.cotangent(row), channels: channels, patches)
            tile.gradient(0, row).add(patches)
        }
    }
}

struct FoldRule: OperatorRule {
    let operators = ["Col2Im"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let input = try node.input(0)
        let (shape, grid, kernel) = (
            graph.shape(input), try graph.integers(try node.input(1), "image_shape"), try graph.integers(try node.input(2), "block_shape")
        )
        guard shape.count == 3, shape[0] == 1, (1...3).contains(grid.count), kernel.count == grid.count, kernel.allSatisfy({ $0 > 0 }),
            grid.allSatisfy({ $0 > 0 })
        else { throw node.invalid("an input of shape \(shape) for an image of shape \(grid), blocks of shape \(kernel)") }
        let window = try Window(node, grid: grid, kernel: kernel)
        guard shape[1] % window.kernelCount == 0, shape[2] == window.outputCount else {
            throw node.invalid("an input of shape \(shape) for \(window.outputCount) blocks of \(window.kernelCount) numbers")
        }
        let channels = shape[1] / window.kernelCount
        let result = TensorType(.real, [1, channels] + grid)
        try graph.check(result)
        return [try graph.add(FoldOperation(window: window, channels: channels), [input], result)]
    }
}
