import Activations
import Architecture
import KernelLoops
import LinearAlgebra

/// The positions of a value, as rows of positions along the last spatial axis: position p = row · width + x.
struct PositionGrid: Sendable, Equatable {
    /// Extents of the spatial axes but the last.
    let lead: [Int]
    let rows: Int
    let width: Int
    /// Elements from one row to the next in a buffer: a whole number of vector registers.
    let stride: Int

    init(_ spatial: [Int]) {
        lead = Array(spatial.dropLast())
        rows = lead.clampedProduct
        width = spatial.last ?? 1
        stride = width.roundedUp(to: run)
    }

    var positions: Int { rows * width }
}

/// Which pairs of positions of two points are held.
enum Pairing: Int, Sendable, Comparable {
    case none
    /// Each position with its own: all that flatten asks for, and convolutions before it.
    case aligned
    /// Each position with every one: what pooling and attention ask for.
    case full

    static func < (a: Pairing, b: Pairing) -> Bool { a.rawValue < b.rawValue }
}

/// The blocks of a value: each the pairs of one row of positions with another; or, aligned, one block with the pairs of every position with
/// its own, row after row.
final class BlockList: Sendable {
    let grid: PositionGrid
    let pairing: Pairing
    /// The two rows of each block.
    let pairs: [(first: Int, second: Int)]
    /// Block of a pair of rows: by both rows where all are held, by the first where it tells the second.
    private let place: [Int32]
    private let isComplete: Bool

    /// Rows of positions whose pairs can be numbered.
    static let maximumRows = 1 << 15
    private static let pairBytes = 16

    /// All blocks.
    init(_ grid: PositionGrid, _ pairing: Pairing, meter: CompilationMeter) throws(ArchitectureError) {
        self.grid = grid
        self.pairing = pairing
        isComplete = pairing == .full
        place = []
        guard pairing == .full else {
            pairs = [(0, 0)]
            return
        }
        guard grid.rows <= Self.maximumRows else {
            throw ArchitectureError(
                path: "",
                detail: "at most \(Self.maximumRows) rows of positions expected where each meets every other, as before pooling and attention; "
                    + "here are extents \(grid.lead + [grid.width])")
        }
        try meter.take(grid.rows * grid.rows * Self.pairBytes, at: "")
        var pairs: [(Int, Int)] = []
        pairs.reserveCapacity(grid.rows * grid.rows)
        for first in 0..<grid.rows {
            try meter.step(grid.rows)
            for second in 0..<grid.rows { pairs.append((first, second)) }
        }
        self.pairs = pairs
    }

    /// The pairs of every position with its own.
    init(aligned grid: PositionGrid) {
        self.grid = grid
        pairing = .aligned
        isComplete = false
        (pairs, place) = ([(0, 0)], [])
    }

    /// The blocks of a slab: those whose rows differ by `offset` along the leading axes, modulo their extents if the axes wrap.
    init(_ grid: PositionGrid, offset: [Int], wraps: Bool, meter: CompilationMeter) throws(ArchitectureError) {
        try meter.take(grid.rows.multipliedClamped(by: 4 + Self.pairBytes), at: "")
        try meter.step(grid.rows)
        self.grid = grid
        pairing = .full
        isComplete = false
        var pairs: [(Int, Int)] = []
        var place = [Int32](repeating: -1, count: grid.rows)
        var first = 0
        forEachIndex(grid.lead) { index in
            var second: [Int] = []
            for (axis, position) in index.enumerated() {
                let extent = grid.lead[axis]
                var other = position + offset[axis]
                if wraps { other = ((other % extent) + extent) % extent }
                if other >= 0 && other < extent { second.append(other) }
            }
            if second.count == index.count {
                place[first] = Int32(pairs.count)
                pairs.append((first, flatIndex(second, grid.lead)))
            }
            first += 1
        }
        self.pairs = pairs
        self.place = place
    }

    /// The block of a pair of rows, where blocks are such; nil if it is not held.
    func block(_ first: Int, _ second: Int) -> Int? {
        if isComplete { return first * grid.rows + second }
        let block = Int(place[first])
        return block >= 0 ? block : nil
    }

    /// Rows of elements in a block as the element loops see it: aligned, everything is one long row.
    var shape: BlockShape {
        pairing == .full
            ? BlockShape(rows: grid.width, stride: grid.stride, isAligned: false)
            : BlockShape(rows: 1, stride: grid.rows * grid.stride, isAligned: true)
    }
    var blockSize: Int { (pairing == .full ? grid.width : grid.rows) * grid.stride }
    var elements: Int { pairs.count * blockSize }

    /// Rows of pairs: `rowCount` in a block, `grid.width` pairs each.
    var rowCount: Int { pairing == .full ? grid.width : grid.rows }

    /// Row `row` of a block.
    func row(_ block: Int, _ row: Int) -> PairRow {
        let start = block * blockSize + row * grid.stride
        if pairing == .full {
            let (first, second) = pairs[block]
            return PairRow(
                start: start, firstPosition: first * grid.width + row, firstElement: first * grid.stride + row, step: 0,
                secondPosition: second * grid.width, secondElement: second * grid.stride)
        }
        return PairRow(
            start: start, firstPosition: row * grid.width, firstElement: row * grid.stride, step: 1, secondPosition: row * grid.width,
            secondElement: row * grid.stride)
    }

    /// The element of a pair of positions; nil if it is not held.
    func place(_ p1: Int, _ p2: Int) -> Int? {
        let width = grid.width
        if pairing != .full { return p1 == p2 ? p1 / width * grid.stride + p1 % width : nil }
        return block(p1 / width, p2 / width).map { $0 * blockSize + p1 % width * grid.stride + p2 % width }
    }
}

/// A row of pairs: pair c is of position `firstPosition + c step` with `secondPosition + c`; its elements begin at `start`, and what
/// belongs to the positions at `firstElement + c step` and `secondElement + c` of the padded planes.
struct PairRow {
    var start: Int
    var firstPosition, firstElement, step: Int
    var secondPosition, secondElement: Int
}
