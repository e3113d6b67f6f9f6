internal import LinearAlgebra

/// How windows lie on a grid of up to three axes, as convolutions and pools have it. Fewer axes are three with leading ones of extent 1.
struct Window: Sendable, Equatable {
    var input: [Int]
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    /// Before each axis; what is behind follows from the output's extents.
    var pads: [Int]
    var output: [Int]

    var inputCount: Int { input.clampedProduct }
    var kernelCount: Int { kernel.clampedProduct }
    var outputCount: Int { output.clampedProduct }

    /// Whether the windows are the grid itself.
    var isIdentity: Bool { kernelCount == 1 && strides == [1, 1, 1] && pads == [0, 0, 0] && input == output }

    /// Calls `body` for each place of the window and each row of outputs that it falls on the grid for: outputs `output ..< output + count` along
    /// the last axis read the grid from `input` on at distance `stride`.
    @inline(__always)
    func forEachRun(_ body: (_ tap: Int, _ output: Int, _ input: Int, _ count: Int) -> Void) {
        var tap = 0
        for kd in 0..<kernel[0] {
            for kh in 0..<kernel[1] {
                for kw in 0..<kernel[2] {
                    let shift = kw * dilations[2] - pads[2]
                    // Outputs ow with 0 <= ow * stride + shift < width.
                    let first = shift >= 0 ? 0 : (-shift + strides[2] - 1) / strides[2]
                    let last = input[2] - 1 - shift
                    let end = last < 0 ? 0 : min(output[2], last / strides[2] + 1)
                    if first < end {
                        for od in 0..<output[0] {
                            let id = od * strides[0] + kd * dilations[0] - pads[0]
                            if id < 0 || id >= input[0] { continue }
                            for oh in 0..<output[1] {
                                let ih = oh * strides[1] + kh * dilations[1] - pads[1]
                                if ih < 0 || ih >= input[1] { continue }
                                body(
                                    tap, (od * output[1] + oh) * output[2] + first,
                                    (id * input[1] + ih) * input[2] + first * strides[2] + shift, end - first)
                            }
                        }
                    }
                    tap += 1
                }
            }
        }
    }

    /// Patches of channels: columns[(channel, tap), output] = x[channel, place], 0 beyond the grid. Rows of the columns stand `distance` apart,
    /// from `start` on.
    @inline(__always)
    func gather<F: NetworkScalar>(_ x: Cells<F>, channels: Int, _ columns: Cells<F>, start: Int = 0, distance: Int? = nil) {
        let (stride, width) = (strides[2], distance ?? outputCount)
        if width == outputCount {
            columns.from(0, channels * kernelCount * outputCount).fill(0)
        } else {
            for row in 0..<channels * kernelCount { columns.from(start + row * width, outputCount).fill(0) }
        }
        for channel in 0..<channels {
            let (source, target) = unsafe (x.base + channel * inputCount, columns.base + start + channel * kernelCount * width)
            forEachRun { tap, output, input, count in
                let (from, to) = unsafe (source + input, target + tap * width + output)
                if stride == 1 {
                    unsafe to.update(from: from, count: count)
                } else {
                    for t in 0..<count { unsafe to[t] = from[t * stride] }
                }
            }
        }
    }

    /// The adjoint of `gather`: x[channel, place] += columns[(channel, tap), output].
    @inline(__always)
    func scatter<F: NetworkScalar>(_ columns: Cells<F>, channels: Int, _ x: Cells<F>, start: Int = 0, distance: Int? = nil) {
        let (stride, width) = (strides[2], distance ?? outputCount)
        for channel in 0..<channels {
            let (target, source) = unsafe (x.base + channel * inputCount, columns.base + start + channel * kernelCount * width)
            forEachRun { tap, output, input, count in
                let (to, from) = unsafe (target + input, source + tap * width + output)
                if stride == 1 {
                    for t in 0..<count { unsafe to[t] += from[t] }
                } else {
                    for t in 0..<count { unsafe to[t * stride] += from[t] }
                }
            }
        }
    }
}

extension Window {
    /// Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a node, for a grid of spatial extents.
    init(_ node: Node, grid: [Int], kernel given: [Int]?) throws(GraphError) {
        let rank = grid.count
        guard 1...3 ~= rank else { throw node.unsupported("\(rank) spatial axes; 1 to 3 are served") }
        let lead = [Int](repeating: 1, count: 3 - rank)
        var own = given
        if own == nil { own = try node.ints("kernel_shape") }
        let kernel = own ?? []
        let strides = try node.ints("strides") ?? [Int](repeating: 1, count: rank)
        let dilations = try node.ints("dilations") ?? [Int](repeating: 1, count: rank)
        var pads = try node.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
        guard kernel.count == rank, strides.count == rank, dilations.count == rank, pads.count == 2 * rank,
            (kernel + strides + dilations).allSatisfy({ 1...1 << 24 ~= $0 }), pads.allSatisfy({ 0...1 << 24 ~= $0 })
        else { throw node.invalid("windows of shape \(kernel), strides \(strides), dilations \(dilations), pads \(pads) on \(rank) axes") }
        let isCeiling = try node.flag("ceil_mode")
        let automatic = try node.string("auto_pad", "NOTSET")
        var output: [Int] = []
        for axis in 0..<rank {
            let (span, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
            guard !overflow, span < 1 << 30 else { throw node.invalid("windows of \(kernel[axis]) dilated by \(dilations[axis])") }
            let width = span + 1
            switch automatic {
            case "NOTSET", "": break
            case "VALID": (pads[axis], pads[axis + rank]) = (0, 0)
            case "SAME_UPPER", "SAME_LOWER":
                let wanted = (grid[axis] + strides[axis] - 1) / strides[axis]
                let total = max(0, (wanted - 1) * strides[axis] + width - grid[axis])
                let less = total / 2
                (pads[axis], pads[axis + rank]) = automatic == "SAME_UPPER" ? (less, total - less) : (total - less, less)
            default: throw node.unsupported("auto_pad \"\(automatic)\"")
            }
            let room = grid[axis] + pads[axis] + pads[axis + rank] - width
            guard room >= 0, grid[axis] > 0 else { throw node.invalid("windows of \(width) on an axis of \(grid[axis]) with pads \(pads)") }
            var count = (isCeiling ? room + strides[axis] - 1 : room) / strides[axis] + 1
            // A window that begins in the padding behind is left out.
            if isCeiling, (count - 1) * strides[axis] >= grid[axis] + pads[axis] { count -= 1 }
            output.append(count)
        }
        // Loops go over the places of a window and the rows of the output.
        guard (kernel + output.dropLast()).clampedProduct <= 1 << 28, output.clampedProduct <= 1 << 28 else {
            throw node.error(.tooLarge, "windows of \(kernel) at \(output) places")
        }
        self.init(
            input: lead + grid, kernel: lead + kernel, strides: lead + strides, dilations: lead + dilations,
            pads: [Int](repeating: 0, count: 3 - rank) + pads[..<rank], output: lead + output)
    }
}
