internal import LinearAlgebra

/// Convolution of channels on a grid, in groups: Y_g = W_g P_g with the patches P_g [channels/groups · taps, places] of the group's inputs.
///
/// P̄_g += W_gᵀ Ȳ_g, scattered back to the grid; W̄_g += Ȳ_g P_gᵀ.
struct ConvOperation: Operation {
    let window: Window
    /// Channels of a group, in and out.
    let channels: Int
    let filters: Int
    let groups: Int

    private var patch: Int { channels * window.kernelCount }

    var operations: Double { 2 * Double(groups) * Double(filters) * Double(patch) * Double(window.outputCount) }
    /// Numbers of the patches of a group.
    private var patches: Int { patch * window.outputCount }

    /// One channel in and one out of each group: no patches are laid out.
    private var isDepthwise: Bool { channels == 1 && filters == 1 && groups > 1 }

    @inline(__always)
    private func depthwiseValues<F: NetworkScalar>(_ tile: ForwardTile<F>) {
        let (inputs, outputs, taps, stride) = (window.inputCount, window.outputCount, window.kernelCount, window.strides[2])
        for sample in 0..<tile.samples {
            tile.output(sample).fill(0)
            let (xBase, wBase, yBase) = unsafe (tile.input(0, sample).base, tile.input(1, sample).base, tile.output(sample).base)
            for channel in 0..<groups {
                let (x, w, y) = unsafe (xBase + channel * inputs, wBase + channel * taps, yBase + channel * outputs)
                window.forEachRun { tap, output, input, count in
                    let (factor, from, to) = unsafe (w[tap], x + input, y + output)
                    if stride == 1 {
                        for t in 0..<count { unsafe to[t] += factor * from[t] }
                    } else {
                        for t in 0..<count { unsafe to[t] += factor * from[t * stride] }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func depthwiseCotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) {
        let (inputs, outputs, taps, stride) = (window.inputCount, window.outputCount, window.kernelCount, window.strides[2])
        for row in 0..<tile.rows {
            let sample = row / tile.cotangents
            let (xBase, wBase, gBase) = unsafe (tile.input(0, sample).base, tile.input(1, sample).base, tile.cotangent(row).base)
            for channel in 0..<groups {
                let (x, w, g) = unsafe (xBase + channel * inputs, wBase + channel * taps, gBase + channel * outputs)
                if tile.wants(1) {
                    let target = unsafe tile.gradient(1, row).base + channel * taps
                    window.forEachRun { tap, output, input, count in
                        let (from, cotangent) = unsafe (x + input, g + output)
                        if stride == 1 {
                            unsafe target[tap] += dotProduct(from, cotangent, count)
                        } else {
                            var sum: F = 0
                            for t in 0..<count { unsafe sum += from[t * stride] * cotangent[t] }
                            unsafe target[tap] += sum
                        }
                    }
                }
                if tile.wants(0) {
                    let target = unsafe tile.gradient(0, row).base + channel * inputs
                    window.forEachRun { tap, output, input, count in
                        let (factor, to, cotangent) = unsafe (w[tap], target + input, g + output)
                        if stride == 1 {
                            for t in 0..<count { unsafe to[t] += factor * cotangent[t] }
                        } else {
                            for t in 0..<count { unsafe to[t * stride] += factor * cotangent[t] }
                        }
                    }
                }
            }
        }
    }

    /// The group's patches of a sample: the inputs themselves where the window is a point.
    @inline(__always)
    private func patches<F: NetworkScalar>(_ x: Cells<F>, _ group: Int, _ scratch: Cells<F>) -> Cells<F> {
        let source = x.from(group * channels * window.inputCount, channels * window.inputCount)
        if window.isIdentity { return source }
        window.gather(source, channels: channels, scratch)
        return scratch
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func values<F: NetworkScalar>(_ tile: ForwardTile<F>) throws(GraphError) {
        if isDepthwise { return depthwiseValues(tile) }
        let places = window.outputCount
        // So many samples together that a product is wide enough for the weights to be read once for all of them.
        let batch = tile.isShared(1) ? min(tile.samples, max(1, 512 / max(places, 1))) : 1
        let buffer = Buffer(F.self, count: patches * batch + (batch > 1 ? filters * places * batch : 0))
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, patches * batch)
        let wide = batch > 1 ? buffer.cells(F.self, (patches + filters * places) * batch).from(patches * batch) : scratch
        for start in stride(from: 0, to: tile.samples, by: batch) {
            let count = min(batch, tile.samples - start)
            for group in 0..<groups {
                let weight = tile.input(1, start).from(group * filters * patch)
                if count == 1 {
                    let columns = patches(tile.input(0, start), group, scratch)
                    let target = tile.output(start).from(group * filters * places)
                    unsafe F.gemm(filters, places, patch, alpha: 1, weight.base, patch, columns.base, places, beta: 0, target.base, places)
                    continue
                }
                for index in 0..<count {
                    let source = tile.input(0, start + index).from(group * channels * window.inputCount, channels * window.inputCount)
                    window.gather(source, channels: channels, scratch, start: index * places, distance: count * places)
                }
                let width = count * places
                unsafe F.gemm(filters, width, patch, alpha: 1, weight.base, patch, scratch.base, width, beta: 0, wide.base, width)
                for index in 0..<count {
                    let target = tile.output(start + index).from(group * filters * places)
                    for filter in 0..<filters { target.from(filter * places).copy(wide.from(filter * width + index * places, places)) }
                }
            }
        }
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func cotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) throws(GraphError) {
        if isDepthwise { return depthwiseCotangents(tile) }
        if tile.wants(1) { weightCotangents(tile) }
        guard tile.wants(0) else { return }
        let places = window.outputCount
        let batch = tile.isShared(1) ? min(tile.rows, max(1, 512 / max(places, 1))) : 1
        let isDirect = window.isIdentity && batch == 1
        let buffer = Buffer(F.self, count: (isDirect ? 0 : patches * batch) + (batch > 1 ? filters * places * batch : 0))
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, isDirect ? 0 : patches * batch)
        let wide = batch > 1 ? buffer.cells(F.self, (patches + filters * places) * batch).from(patches * batch) : scratch
        for start in stride(from: 0, to: tile.rows, by: batch) {
            let count = min(batch, tile.rows - start)
            let width = count * places
            for group in 0..<groups {
                let weight = tile.input(1, start / tile.cotangents).from(group * filters * patch)
                func gradient(_ row: Int) -> Cells<F> {
                    tile.gradient(0, row).from(group * channels * window.inputCount, channels * window.inputCount)
                }
                if isDirect {
                    let g = tile.cotangent(start).from(group * filters * places)
                    unsafe F.gemmLeftTransposed(
                        patch, places, filters, alpha: 1, weight.base, patch, g.base, places, beta: 1, gradient(start).base, places)
                    continue
                }
                var source = tile.cotangent(start).from(group * filters * places)
                if count > 1 {
                    for index in 0..<count {
                        let g = tile.cotangent(start + index).from(group * filters * places)
                        for filter in 0..<filters { wide.from(filter * width + index * places).copy(g.from(filter * places, places)) }
                    }
                    source = wide
                }
                unsafe F.gemmLeftTransposed(patch, width, filters, alpha: 1, weight.base, patch, source.base, width, beta: 0, scratch.base, width)
                for index in 0..<count {
                    window.scatter(scratch, channels: channels, gradient(start + index), start: index * places, distance: width)
                }
            }
        }
    }

    /// W̄_g += Ȳ_g P_gᵀ row by row.
    @inline(__always)
    private func weightCotangents<F: NetworkScalar>(_ tile: BackwardTile<F>) {
        let places = window.outputCount
        let buffer = Buffer(F.self, count: patches)
        defer { withExtendedLifetime(buffer) {} }
        let scratch = buffer.cells(F.self, patches)
        for sample in 0..<tile.samples {
            for group in 0..<groups {
                let columns = patches(tile.input(0, sample), group, scratch)
                for row in sample * tile.cotangents..<(sample + 1) * tile.cotangents {
                    let g = tile.cotangent(row).from(group * filters * places)
                    let target = tile.gradient(1, row).from(group * filters * patch)
                    unsafe F.gemmTransposed(
                        filters, patch, places, alpha: 1, g.base, places, columns.base, places, beta: 1, target.base, patch)
                }
            }
        }
    }

    /// One group: u_t is the patch at place t, v_t the cotangents of its filters; the weight is [filters, patch].
    func outerProducts(of input: Int) -> OuterProducts? {
        guard input == 1, groups == 1 else { return nil }
        return OuterProducts(
            positions: window.outputCount, sampleExtent: patch, rowExtent: filters, sampleIsFirst: false, isPlanar: true,
            sampleInput: window.isIdentity ? 0 : nil, rowIsCotangent: true)
    }

    @specialized(where F == Double)
    @specialized(where F == Float)
    func writeFactors<F: NetworkScalar>(of input: Int, _ tile: BackwardTile<F>, _ target: FactorTarget<F>) throws(GraphError) {
        if target.wantsSample, target.isPlanar {
            for sample in 0..<tile.samples { window.gather(tile.input(0, sample), channels: channels, target.sampleFactor(sample)) }
        } else if target.wantsSample {
            let buffer = Buffer(F.self, count: patches)
            defer { withExtendedLifetime(buffer) {} }
            let scratch = buffer.cells(F.self, patches)
            for sample in 0..<tile.samples {
                transpose(patches(tile.input(0, sample), 0, scratch), rows: patch, columns: window.outputCount, target.sampleFactor(sample))
            }
        }
        guard target.wantsRow else { return }
        for row in 0..<tile.rows { transpose(tile.cotangent(row), rows: filters, columns: window.outputCount, target.rowFactor(row)) }
    }
}

/// y = xᵀ for x [rows, columns].
@inline(__always)
func transpose<F: NetworkScalar>(_ x: Cells<F>, rows: Int, columns: Int, _ y: Cells<F>) {
    let (source, target) = unsafe (x.base, y.base)
    for top in stride(from: 0, to: rows, by: 16) {
        for column in 0..<columns {
            for row in top..<min(top + 16, rows) { unsafe target[column * rows + row] = source[row * columns + column] }
        }
    }
}

struct ConvRule: OperatorRule {
    let operators = ["Conv"]

    func build<F: NetworkScalar>(_ node: Node, _ graph: inout GraphBuilder<F>) throws(GraphError) -> [Wire] {
        let (input, weight) = (try node.input(0), try node.input(1))
        let (shape, weightShape) = (graph.shape(input), graph.shape(weight))
        let groups = try node.int("group", 1)
        guard shape.count >= 3, shape[0] == 1, weightShape.count == shape.count, groups > 0, weightShape[0] % groups == 0,
            shape[1] % groups == 0, shape[1] / groups == weightShape[1], !weightShape.contains(0)
        else { throw node.invalid("an input of shape \(shape), weights of shape \(weightShape), \(groups) groups") }
        if let given = try node.ints("kernel_shape"), given != Array(weightShape[2...]) {
            throw node.invalid("kernel_shape \(given) beside weights of shape \(weightShape)")
        }
        let window = try Window(node, grid: Array(shape[2...]), kernel: Array(weightShape[2...]))
        let operation = ConvOperation(window: window, channels: weightShape[1], filters: weightShape[0] / groups, groups: groups)
        let result = TensorType(.real, [1, weightShape[0]] + window.output.suffix(shape.count - 2))
        try graph.check(result)
        try graph.checkPatches(weightShape[1], window)
        return [try graph.addingChannelBias(node.optional(2), to: try graph.add(operation, [input, weight], result))]
    }
}

extension GraphBuilder {
    /// Whether the patches of a group are not too many numbers.
    func checkPatches(_ channels: Int, _ window: Window) throws(GraphError) {
        guard [channels, window.kernelCount, window.outputCount].clampedProduct <= 1 << 29 else {
            throw error(.tooLarge, "patches of \(channels) channels, \(window.kernelCount) numbers, at \(window.outputCount) places")
        }
    }

    /// y[1, c, …] + b[c].
    mutating func addingChannelBias(_ bias: Wire?, to input: Wire) throws(GraphError) -> Wire {
        guard let bias else { return input }
        let shape = shape(input)
        guard self.shape(bias) == [shape[1]] else { throw invalid("a bias of shape \(self.shape(bias)) for \(shape[1]) channels") }
        return try binary(.add, input, try reshape(bias, to: [shape[1]] + [Int](repeating: 1, count: shape.count - 2)))
    }
}
