import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// What a window operation needs for one list of blocks: which input blocks each output block sums, and how it goes along the last axis.
final class WindowTable: Sendable {
    /// The taps of output block b along the leading axes: entries starts[b] ..< starts[b + 1] of `blocks` are the input blocks where both
    /// partners are inside; empty where pairs are aligned.
    let starts: [Int32]
    let blocks: [Int32]
    /// Rows of the one point whose partner lies beyond an edge, for the output blocks that have such.
    let alone: [Int: (first: [Int], second: [Int])]
    /// For each output row the input rows of its taps, `rowTaps` of them, -1 beyond an edge.
    let rows: [Int32]
    let rowTaps: Int
    let inner: WindowAxis
    /// 1 / positions of the window.
    let scale: Double
    let input: BlockList
    let output: BlockList

    /// - Parameter rows: what `leadingRows` made of the geometry.
    init(
        _ geometry: WindowGeometry, rows: [Int32], input: BlockList, output: BlockList, meter: CompilationMeter
    ) throws(ArchitectureError) {
        self.input = input
        self.output = output
        scale = 1 / geometry.positions
        // The compiler lets windows only where there are spatial axes.
        inner = geometry.axes[geometry.axes.count - 1]
        rowTaps = Self.rowTaps(geometry)
        self.rows = rows
        if output.pairing == .full { try Self.take(rows, rowTaps, output, meter) }
        var starts: [Int32] = [0]
        var blocks: [Int32] = []
        var alone: [Int: (first: [Int], second: [Int])] = [:]
        if output.pairing == .full {
            for (block, pair) in output.pairs.enumerated() {
                try meter.step(rowTaps)
                var own: (first: [Int], second: [Int]) = ([], [])
                for tap in 0..<rowTaps {
                    let (a, b) = (Int(rows[pair.first * rowTaps + tap]), Int(rows[pair.second * rowTaps + tap]))
                    if a >= 0 && b >= 0 {
                        if let source = input.block(a, b) { blocks.append(Int32(source)) }
                    } else if a >= 0 {
                        own.first.append(a)
                    } else if b >= 0 {
                        own.second.append(b)
                    }
                }
                starts.append(Int32(blocks.count))
                if !own.first.isEmpty || !own.second.isEmpty { alone[block] = own }
            }
        }
        (self.starts, self.blocks, self.alone) = (starts, blocks, alone)
    }

    private static func rowTaps(_ geometry: WindowGeometry) -> Int { geometry.axes.dropLast().lazy.map(\.window).clampedProduct }

    /// Asks for the blocks, and for the rows that stand alone: of pairs of which one row at the least has windows beyond an edge.
    private static func take(_ rows: [Int32], _ taps: Int, _ output: BlockList, _ meter: CompilationMeter) throws(ArchitectureError) {
        let isAtEdge = stride(from: 0, to: rows.count, by: taps).map { rows[$0..<$0 + taps].contains(-1) }
        let alone = output.pairs.reduce(0) { isAtEdge[$1.first] || isAtEdge[$1.second] ? $0 + 1 : $0 }
        let entries = output.pairs.count.multipliedClamped(by: taps)
        guard entries <= Int(Int32.max) else {
            throw ArchitectureError(
                path: "", detail: "windows of fewer positions, or over fewer, expected; here \(entries) pairs of rows of positions would meet")
        }
        try meter.take(4 * (entries + output.pairs.count) + alone * (160 + 8 * taps), at: "")
    }

    /// For each output row the input rows of its taps, -1 beyond an edge.
    static func leadingRows(_ geometry: WindowGeometry, meter: CompilationMeter) throws(ArchitectureError) -> [Int32] {
        let axes = geometry.axes.dropLast()
        let taps = rowTaps(geometry)
        try meter.take(axes.lazy.map(\.output).clampedProduct.multipliedClamped(by: taps).multipliedClamped(by: 4), at: "")
        var rows: [Int32] = []
        try forEachIndex(axes.map(\.output)) { output throws(ArchitectureError) in
            try meter.step(taps)
            forEachIndex(axes.map(\.window)) { tap in
                var row: Int? = 0
                for (k, axis) in axes.enumerated() {
                    row = row.flatMap { row in axis.source(output[k], tap[k]).map { row * axis.input + $0 } }
                }
                rows.append(row.map { Int32($0) } ?? -1)
            }
        }
        return rows
    }

    /// Whether neighbours along the last axis have windows one position apart, so that a window is a few shifted additions.
    /// Around a ring a window may go many times, and is then looked up.
    var isContiguous: Bool { inner.stride == 1 && !inner.isTransposed && (!inner.wraps || inner.window <= 4 * inner.input) }

    /// Whether the loop that keeps rows in registers fits: windows of three on the last axis, zeros beyond its edges, rows of one or two runs.
    var isInRegisters: Bool {
        let width = input.grid.width
        return isContiguous && inner.window == 3 && halo == (1, 1) && !inner.wraps && (width == run || width == 2 * run) && output.grid.width == width
    }

    /// Positions beyond the edges of the last axis; none where windows are looked up one by one.
    var halo: (low: Int, high: Int) {
        isContiguous ? (inner.low, max(inner.output + inner.window - 1 - inner.low - inner.input, 0)) : (0, 0)
    }

    /// Elements of a row with its halo, with room for whole registers at any shift.
    var extendedStride: Int {
        guard isContiguous else { return input.grid.stride.roundedUp(to: 16) }
        return (halo.low + max(input.grid.stride, inner.input + halo.high) + output.grid.stride + inner.window).roundedUp(to: 16)
    }
    var extendedRows: Int {
        guard input.pairing == .full else { return 1 }
        return isContiguous ? halo.low + inner.input + halo.high + inner.window + output.grid.width : inner.input
    }
}
