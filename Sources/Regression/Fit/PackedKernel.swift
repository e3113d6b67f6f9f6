internal import CThinProducts
public import LinearAlgebra

/// The upper triangle of a symmetric kernel in square tiles of float32, for systems that are too large for a factor: half the memory of all
/// of it, and every tile is read once for a product.
public struct PackedKernel: Sendable {
    public let order: Int
    /// Points on a side of a tile: a multiple of 64.
    public let side: Int
    /// The diagonal in float64.
    public let diagonal: [Double]
    /// D, where the tiles and the diagonal are those of D K D.
    public let scaling: UnitScaling
    /// Tiles row by row, each [side, side] (with a gap after each row) and what is beyond the last point 0; below the diagonal of those on it, the mirror image.
    private let tiles: [Storage<Float>]
    private let blocks: Int

    /// Bytes for `order` points.
    public static func bytes(order: Int, side: Int = standardSide) -> Int {
        let blocks = (order + side - 1) / side
        return blocks * (blocks + 1) / 2 * side * (side + apart) * 4
    }

    public static let standardSide = 2_048

    /// - Parameters:
    ///   - diagonal: of D K D, as `scaling` has D, or of K without one.
    ///   - block: D K D between two ranges of points, in as many threads as it likes; columns beyond the last point are not read.
    public init(
        order: Int, side: Int = standardSide, diagonal: [Double], scaling: UnitScaling? = nil,
        block: (_ rows: Range<Int>, _ columns: Range<Int>) throws -> Matrix<Float>
    ) throws {
        precondition(order > 0 && diagonal.count == order && side.isMultiple(of: Int(NTK_THIN_COLUMNS)))
        (self.order, self.side, self.diagonal) = (order, side, diagonal)
        self.scaling = scaling ?? UnitScaling(uniform: 0, count: order)
        blocks = (order + side - 1) / side
        var tiles: [Storage<Float>] = []
        for row in 0..<blocks {
            for column in row..<blocks {
                let (rows, columns) = (Self.range(row, side, order), Self.range(column, side, order))
                let values = try block(rows, columns)
                let tile = Storage<Float>(count: side * (side + apart))
                unsafe tile.base.initialize(repeating: 0, count: tile.count)
                for i in 0..<rows.count {
                    unsafe (tile.base + i * (side + apart)).update(from: values.base + i * values.columns, count: columns.count)
                }
                tiles.append(tile)
            }
        }
        self.tiles = tiles
    }

    private static func range(_ block: Int, _ side: Int, _ order: Int) -> Range<Int> { block * side..<min((block + 1) * side, order) }

    private func tile(_ row: Int, _ column: Int) -> Storage<Float> { tiles[row * blocks - row * (row - 1) / 2 + column - row] }

    /// D K D V for V [n, k] in float64; products in float32, sums over tiles in float64, in a fixed order. Reads every tile once, from both sides.
    public func multiply(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let k = right.columns
        let (padded, count) = (blocks * side + apart, k.roundedUp(to: Int(NTK_THIN_VECTORS)))
        // Each column in its own units, as float32 has few exponents; vectors lie side by side, as the tiles' rows do.
        let scales = (0..<k).map { column in (0..<order).reduce(0) { max($0, abs(right[$1, column])) } }
        let vectors = Matrix<Float>(zeroRows: count, columns: padded)
        for column in 0..<k where scales[column] > 0 {
            for row in 0..<order { unsafe vectors.base[column * padded + row] = Float(right[row, column] / scales[column]) }
        }
        // What each tile adds to a block of the result: summed when all are there, in the tiles' order.
        let parts = Storage<Float>(count: blocks * blocks * count * side)
        let part = { @Sendable (row: Int, column: Int) in (row * blocks + column) * count * side }
        let pairs = (0..<blocks).flatMap { row in (row..<blocks).map { (row, $0) } }
        try executor.forEach(pairs.count) { index in
            let (row, column) = pairs[index]
            let mirrored = unsafe row == column ? ntk_thin_vectors_f32() : .init(elements: parts.base + part(column, row), stride: side)
            unsafe ntk_thin_products_f32(
                .init(elements: parts.base + part(row, column), stride: side), mirrored,
                .init(elements: tile(row, column).base, rows: side, columns: side, stride: side + apart),
                .init(elements: vectors.base + column * side, stride: padded), .init(elements: vectors.base + row * side, stride: padded), count)
        }
        let result = Matrix<Double>(uninitializedRows: order, columns: k)
        try executor.forEach(blocks) { row in
            let rows = Self.range(row, side, order)
            var sums = [Double](repeating: 0, count: side)
            for column in 0..<k {
                for i in 0..<side { sums[i] = 0 }
                for other in 0..<blocks {
                    let own = unsafe parts.base + part(row, other) + column * side
                    for i in 0..<side { unsafe sums[i] += Double(own[i]) }
                }
                for i in 0..<rows.count { unsafe result.base[(rows.lowerBound + i) * k + column] = sums[i] * scales[column] }
            }
        }
        return result
    }

    /// ‖S D K D S + Λ‖₁ for diagonal S and Λ: reads every tile once.
    func oneNorm(weights: [Double], shifts: [Double], on executor: any TileExecutor) throws -> Double {
        let pairs = (0..<blocks).flatMap { row in (row..<blocks).map { (row, $0) } }
        // Of each tile what it adds to its rows, and to its columns.
        let sums = Storage<Double>(count: pairs.count * 2 * side)
        unsafe sums.base.initialize(repeating: 0, count: sums.count)
        try executor.forEach(pairs.count) { index in
            let (row, column) = pairs[index]
            let (rows, columns) = (Self.range(row, side, order), Self.range(column, side, order))
            let elements = tile(row, column)
            let own = unsafe sums.base + index * 2 * side
            for i in 0..<rows.count {
                let line = unsafe elements.base + i * (side + apart)
                let weight = weights[rows.lowerBound + i]
                var sum = 0.0
                for j in 0..<columns.count {
                    let size = unsafe Double(abs(line[j]))
                    sum += size * weights[columns.lowerBound + j]
                    unsafe own[side + j] += size * weight
                }
                unsafe own[i] = sum
            }
        }
        var totals = [Double](repeating: 0, count: order)
        for (index, (row, column)) in pairs.enumerated() {
            let own = unsafe sums.base + index * 2 * side
            for (i, point) in Self.range(row, side, order).enumerated() { unsafe totals[point] += own[i] }
            guard row != column else { continue }
            for (j, point) in Self.range(column, side, order).enumerated() { unsafe totals[point] += own[side + j] }
        }
        return (0..<order).reduce(0) { max($0, totals[$1] * weights[$1] + shifts[$1]) }
    }

    /// Columns of D K D [n, count] in float64.
    public func columns(_ indices: [Int], on executor: any TileExecutor) throws -> Matrix<Double> {
        let result = Matrix<Double>(uninitializedRows: order, columns: indices.count)
        try executor.forEach(blocks) { block in
            let rows = Self.range(block, side, order)
            for (target, index) in indices.enumerated() {
                let (own, within) = (index / side, index % side)
                // Above the tile's own block it is a column of a tile, from there on a row of one.
                let (first, step) =
                    if block < own { unsafe (tile(block, own).base + within, side + apart) } else {
                        unsafe (tile(own, block).base + within * (side + apart), 1)
                    }
                for i in 0..<rows.count { unsafe result.base[(rows.lowerBound + i) * indices.count + target] = Double(first[i * step]) }
                if rows.contains(index) { unsafe result.base[index * indices.count + target] = diagonal[index] }
            }
        }
        return result
    }
}

/// Elements between rows: without them whole columns would share a few places of a core's cache.
private let apart = 32
