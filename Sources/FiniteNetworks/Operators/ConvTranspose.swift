internal import LinearAlgebra

/// The adjoint of a convolution in its input: patches W_gᵀ X_g [filters/groups · taps, places of x], scattered to the output's grid.
///
/// X̄_g += W_g · patches of Ȳ_g; W̄_g += X_g · (patches of Ȳ_g)ᵀ.
struct ConvTransposeOperation: Operation {
    /// The convolution that this is the adjoint of: its input is this one's output.
    let window: Window
    /// Channels of a group: of this operation's input, and of its output.
    let channels: Int
    let filters: Int
    let groups: Int

    private var patch: Int { filters * window.kernelCount }
    private var places: Int { window.outputCount }

    var operations: Double { 2 * Double(groups) * Double(channels) * Double(patch) * Double(places) }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        let buffer = Buffer(F.self, count: patch * places)
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, patch * places)
        for sample in 0..<tile.samples {
            tile.output(sample).fill(0)
            for group in 0..<groups {
                let weight = tile.input(1, sample).from(group * channels * patch)
                let x = tile.input(0, sample).from(group * channels * places)
                unsafe F.gemmLeftTransposed(patch, places, channels, alpha: 1, weight.base, patch, x.base, places, beta: 0, scratch.base, places)
                window.scatter(scratch, channels: filters, tile.output(sample).from(group * filters * window.inputCount))
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        let buffer = Buffer(F.self, count: patch * places)
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, patch * places)
        for row in 0..<tile.rows {
            let sample = row / tile.cotangents
            for group in 0..<groups {
                window.gather(tile.cotangent(row).from(group * filters * window.inputCount), channels: filters, scratch)
                let (weight, x) = (tile.input(1, sample).from(group * channels * patch), tile.input(0, sample).from(group * channels * places))
                if tile.wants(0) {
                    let target = tile.gradient(0, row).from(group * channels * places)
                    unsafe F.gemm(channels, places, patch, alpha: 1, weight.base, patch, scratch.base, places, beta: 1, target.base, places)
                }
                if tile.wants(1) {
                    let target = tile.gradient(1, row).from(group * channels * patch)
                    unsafe F.gemmTransposed(channels, patch, places, alpha: 1, x.base, places, scratch.base, places, beta: 1, target.base, patch)
                }
            }
        }
    }

    /// One group: u_t are the inputs at place t, v_t the patch of cotangents there; the weight is [channels, patch].
    func outerProducts(of input: Int) -> OuterProducts? {
        guard input == 1, groups == 1 else { return nil }
        return OuterProducts(positions: places, sampleExtent: channels, rowExtent: patch, sampleIsFirst: true, isPlanar: true, sampleInput: 0)
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) throws(GraphError) {
        if target.wantsSample {
            for sample in 0..<tile.samples { transpose(tile.input(0, sample), rows: channels, columns: places, target.sampleFactor(sample)) }
        }
        if target.isPlanar {
            for row in 0..<tile.rows { window.gather(tile.cotangent(row), channels: filters, target.rowFactor(row)) }
            return
        }
        let buffer = Buffer(F.self, count: patch * places)
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, patch * places)
        for row in 0..<tile.rows {
            window.gather(tile.cotangent(row), channels: filters, scratch)
            transpose(scratch, rows: patch, columns: places, target.rowFactor(row))
        }
    }
}

struct ConvTransposeRule: OperatorRule {
    let operators = ["ConvTranspose"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, weight) = (try node.input(0), try node.input(1))
        let (shape, weightShape) = (graph.shape(input), graph.shape(weight))
        let groups = try node.int("group", 1)
        let rank = shape.count - 2
        guard 1...3 ~= rank, shape[0] == 1, weightShape.count == shape.count, groups > 0, weightShape[0] == shape[1], shape[1] % groups == 0,
            !weightShape.contains(0), !shape.contains(0)
        else { throw node.invalid("an input of shape \(shape), weights of shape \(weightShape), \(groups) groups") }
        let kernel = Array(weightShape[2...])
        let ones = [Int](repeating: 1, count: rank)
        let zeros = [Int](repeating: 0, count: rank)
        let strides = try node.ints("strides") ?? ones
        let dilations = try node.ints("dilations") ?? ones
        let extra = try node.ints("output_padding") ?? zeros
        var pads = try node.ints("pads") ?? zeros + zeros
        let wanted = try node.ints("output_shape")
        let automatic = try node.string("auto_pad", "NOTSET")
        guard strides.count == rank, dilations.count == rank, extra.count == rank, pads.count == 2 * rank, wanted.map({ $0.count == rank }) ?? true,
            (strides + dilations).allSatisfy({ 1...1 << 20 ~= $0 }), (extra + pads).allSatisfy({ 0...1 << 20 ~= $0 })
        else { throw node.invalid("strides \(strides), dilations \(dilations), pads \(pads), output_padding \(extra) on \(rank) axes") }
        var output: [Int] = []
        for axis in 0..<rank {
            let full = (shape[2 + axis] - 1) * strides[axis] + extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1
            var target = wanted?[axis]
            if target == nil, automatic.hasPrefix("SAME") { target = shape[2 + axis] * strides[axis] }
            if let target {
                let total = max(0, full - target)
                let less = total / 2
                pads[axis] = automatic == "SAME_UPPER" ? less : total - less
                pads[axis + rank] = total - pads[axis]
            }
            // A wanted extent beyond what the windows reach is filled with zeros behind them.
            let extent = target ?? full - pads[axis] - pads[axis + rank]
            guard extent > 0, extent <= 1 << 24, extent < full + 1 << 20 else { throw node.invalid("an output of extent \(extent)") }
            output.append(extent)
        }
        let lead = [Int](repeating: 1, count: 3 - rank)
        let window = Window(
            input: lead + output, kernel: lead + kernel, strides: lead + strides, dilations: lead + dilations,
            pads: [Int](repeating: 0, count: 3 - rank) + pads[..<rank], output: lead + shape[2...])
        try graph.check(TensorType(.real, [1, weightShape[1].multipliedClamped(by: groups)] + output))
        guard (kernel + shape[2...].dropLast()).clampedProduct <= 1 << 28 else { throw node.error(.tooLarge, "windows of \(kernel)") }
        try graph.checkPatches(weightShape[1], window)
        let operation = ConvTransposeOperation(window: window, channels: shape[1] / groups, filters: weightShape[1], groups: groups)
        let result = TensorType(.real, [1, weightShape[1] * groups] + output)
        return [try graph.addingChannelBias(node.optional(2), to: try graph.add(operation, [input, weight], result))]
    }
}
