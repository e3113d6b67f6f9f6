/// What a window operation needs for one list of blocks: which input blocks each output block sums, and how it goes along the last axis.
struct WindowTable: Sendable {
    /// One tap of an output block along the leading axes: the input block, or the row of the one point whose other partner lies beyond the
    /// edge; none if both do.
    enum Tap: Sendable {
        case block(Int, first: Int, second: Int)
        case first(Int)
        case second(Int)
    }

    let taps: [[Tap]]
    let inner: WindowAxis
    /// 1 / positions of the window.
    let scale: Double
    let input: BlockList
    let output: BlockList

    init(_ geometry: WindowGeometry, input: BlockList, output: BlockList) {
        self.input = input
        self.output = output
        scale = 1 / Double(geometry.size)
        // The compiler lets windows only where there are spatial axes.
        inner = geometry.axes[geometry.axes.count - 1]
        let rows = Self.leadingRows(geometry)
        taps = output.pairs.map { first, second in
            zip(rows[first], rows[second]).compactMap { a, b in
                switch (a, b) {
                case (let a?, let b?): input.block(a, b).map { .block($0, first: a, second: b) }
                case (let a?, nil): .first(a)
                case (nil, let b?): .second(b)
                case (nil, nil): nil
                }
            }
        }
    }

    /// For each output row the input rows of its taps along the leading axes.
    private static func leadingRows(_ geometry: WindowGeometry) -> [[Int?]] {
        let axes = geometry.axes.dropLast()
        var rows: [[Int?]] = []
        forEachIndex(axes.map(\.output)) { output in
            var taps: [Int?] = []
            forEachIndex(axes.map(\.window)) { tap in
                var row: Int? = 0
                for (k, axis) in axes.enumerated() {
                    row = row.flatMap { row in axis.source(output[k], tap[k]).map { row * axis.input + $0 } }
                }
                taps.append(row)
            }
            rows.append(taps)
        }
        return rows
    }

    /// Whether neighbours along the last axis have windows one position apart, so that a window is a few shifted additions.
    var isContiguous: Bool { inner.stride == 1 && !inner.isTransposed }

    /// Positions beyond the edges of the last axis.
    var halo: (low: Int, high: Int) { (inner.low, max(inner.output + inner.window - 1 - inner.low - inner.input, 0)) }

    /// Elements of a row with its halo, with room for whole registers at any shift.
    var extendedStride: Int { (halo.low + max(input.grid.stride, inner.input + halo.high) + output.grid.stride + inner.window).roundedUp(to: 16) }
    var extendedRows: Int { input.pairing == .full ? halo.low + inner.input + halo.high : 1 }
}
