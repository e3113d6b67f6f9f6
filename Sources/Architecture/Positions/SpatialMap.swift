package import Activations
import LinearAlgebra

/// Rows of a sparse matrix, one behind the other.
package struct SparseRows: Sendable, Equatable {
    /// Columns.
    package let input: Int
    /// Row r has the entries starts[r] ..< starts[r + 1].
    package private(set) var starts: [Int] = [0]
    package private(set) var positions: [Int32] = []
    package private(set) var weights: [Double] = []

    /// Bytes of a row and of an entry.
    package static let (rowBytes, entryBytes) = (8, 12)

    package init(input: Int) { self.input = input }

    /// Picks positions.
    package init(input: Int, positions: some Sequence<Int>) {
        self.init(input: input)
        for position in positions {
            append(position: position, weight: 1)
            endRow()
        }
    }

    /// Rows.
    package var count: Int { starts.count - 1 }

    package mutating func append(position: Int, weight: Double) {
        positions.append(Int32(position))
        weights.append(weight)
    }

    package mutating func endRow() { starts.append(positions.count) }

    package mutating func setWeights(from first: Int, _ weight: Double) {
        for entry in first..<weights.count { weights[entry] = weight }
    }

    package mutating func divideWeights(from first: Int, by total: Double) {
        for entry in first..<weights.count { weights[entry] /= total }
    }

    @inlinable package func entries(of row: Int) -> Range<Int> { starts[row]..<starts[row + 1] }

    /// Bytes of so many rows and entries.
    package static func bytes(rows: Int, entries: Int) -> Int {
        rows.multipliedClamped(by: rowBytes).addingClamped(entries.multipliedClamped(by: entryBytes))
    }

    /// Whether no row has more than one entry.
    package var isSelection: Bool { (0..<count).allSatisfy { starts[$0 + 1] - starts[$0] <= 1 } }
}

/// A sparse linear map of positions: output position o is Σ weight · input position. It is the product of one map along each axis, or one
/// map of all positions.
package struct SpatialMap: Sendable, Equatable {
    /// Input positions.
    package let input: Int
    /// Output positions.
    package let count: Int
    package private(set) var axes: [SparseRows]
    /// Whether every output is one input or nothing, so that positions do not mix.
    package let isSelection: Bool
    /// Windows in whose middle stands the input whose mask an output takes; nil: an output is masked if all inputs that it has are.
    package private(set) var windows: WindowGeometry?

    package struct Entry: Sendable, Equatable {
        package var position: Int
        package var weight: Double
    }

    /// Entries up to which the product of the axes is written out, which is faster to go through.
    private static let writtenOut = 1 << 16

    package init(_ rows: SparseRows) {
        (input, count, isSelection) = (rows.input, rows.count, rows.isSelection)
        axes = [rows]
    }

    /// The product of one map an axis, in row-major order.
    package init(axes: [SparseRows], windows: WindowGeometry? = nil, meter: CompilationMeter) throws(ArchitectureError) {
        input = axes.lazy.map(\.input).clampedProduct
        count = axes.lazy.map(\.count).clampedProduct
        isSelection = axes.allSatisfy(\.isSelection)
        self.windows = windows
        self.axes = axes
        guard axes.count != 1, max(count, entries) <= Self.writtenOut else { return }
        try meter.take(SparseRows.bytes(rows: count, entries: entries), at: "")
        try meter.step(count.addingClamped(entries))
        var product = SparseRows(input: input)
        for row in 0..<count {
            forEachEntry(of: row) { product.append(position: $0, weight: $1) }
            product.endRow()
        }
        self.axes = [product]
    }

    /// Entries of all rows.
    package var entries: Int { axes.lazy.map(\.positions.count).clampedProduct }

    /// The most entries that a row has.
    package var longestRow: Int {
        axes.lazy.map { axis in (0..<axis.count).reduce(0) { max($0, axis.entries(of: $1).count) } }.clampedProduct
    }

    /// Calls `body` with every entry of an output, in the order of the input positions of each axis, the last axis fastest.
    @inlinable
    @inline(__always)
    package func forEachEntry(of row: Int, _ body: (_ position: Int, _ weight: Double) -> Void) {
        if axes.count == 1 {
            for entry in axes[0].entries(of: row) { body(Int(axes[0].positions[entry]), axes[0].weights[entry]) }
        } else {
            forEachEntry(axis: 0, row, count, position: 0, weight: 1, body)
        }
    }

    @inlinable
    package func forEachEntry(
        axis: Int, _ row: Int, _ count: Int, position: Int, weight: Double, _ body: (Int, Double) -> Void
    ) {
        guard axis < axes.count else { return body(position, weight) }
        let rest = count / axes[axis].count
        let own = axes[axis]
        for entry in own.entries(of: row / rest) {
            forEachEntry(
                axis: axis + 1, row % rest, rest, position: position * own.input + Int(own.positions[entry]), weight: weight * own.weights[entry],
                body)
        }
    }

    /// The only entry of an output of a selection.
    package func selected(_ row: Int) -> Entry? {
        var entry: Entry?
        forEachEntry(of: row) { entry = Entry(position: $0, weight: $1) }
        return entry
    }

    /// Which outputs are masked.
    package func masked(_ inputs: [Bool]) -> [Bool] {
        if let windows { return windows.masked(inputs) }
        return (0..<count).map { row in
            var (isEmpty, isMasked) = (true, true)
            forEachEntry(of: row) { position, _ in
                isEmpty = false
                if !inputs[position] { isMasked = false }
            }
            return !isEmpty && isMasked
        }
    }
}
