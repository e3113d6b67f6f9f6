public import LinearAlgebra

/// The upper triangle of a symmetric kernel in square tiles of float32, for systems that are too large for a factor: half the memory of all
/// of it, and every tile is read once for a product.
public struct PackedKernel: Sendable {
    public let order: Int
    /// Points on a side of a tile.
    public let side: Int
    /// k(x_i, x_i) in float64.
    public let diagonal: [Double]
    /// Tiles row by row, each [side, side] with what is beyond the last point 0; below the diagonal of those on it, the mirror image.
    private let tiles: [Storage<Float>]
    private let blocks: Int

    /// Bytes for `order` points.
    public static func bytes(order: Int, side: Int = standardSide) -> Int {
        let blocks = (order + side - 1) / side
        return blocks * (blocks + 1) / 2 * side * side * 4
    }

    public static let standardSide = 2_048

    /// - Parameter block: k between two ranges of points, in as many threads as it likes.
    public init(
        order: Int, side: Int = standardSide, diagonal: [Double], block: (_ rows: Range<Int>, _ columns: Range<Int>) throws -> Matrix<Float>
    ) throws {
        precondition(order > 0 && diagonal.count == order)
        (self.order, self.side, self.diagonal) = (order, side, diagonal)
        blocks = (order + side - 1) / side
        var tiles: [Storage<Float>] = []
        for row in 0..<blocks {
            for column in row..<blocks {
                let (rows, columns) = (Self.range(row, side, order), Self.range(column, side, order))
                let values = try block(rows, columns)
                let tile = Storage<Float>(count: side * side)
                unsafe tile.base.initialize(repeating: 0, count: side * side)
                for i in 0..<rows.count { unsafe (tile.base + i * side).update(from: values.base + i * columns.count, count: columns.count) }
                tiles.append(tile)
            }
        }
        self.tiles = tiles
    }

    private static func range(_ block: Int, _ side: Int, _ order: Int) -> Range<Int> { block * side..<min((block + 1) * side, order) }

    private func tile(_ row: Int, _ column: Int) -> Storage<Float> { tiles[row * blocks - row * (row - 1) / 2 + column - row] }

    /// K V for V [n, k] in float64; products in float32, sums over tiles in float64, in a fixed order.
    public func multiply(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let k = right.columns
        let padded = blocks * side
        let vectors = Matrix<Float>(zeroRows: padded, columns: k)
        // Each column in its own units, as float32 has few exponents.
        let scales = (0..<k).map { column in (0..<order).reduce(0) { max($0, abs(right[$1, column])) } }
        for row in 0..<order {
            for column in 0..<k where scales[column] > 0 { unsafe vectors.base[row * k + column] = Float(right[row, column] / scales[column]) }
        }
        // Every worker sums what its tiles add to each block; a block's sums are added in the tiles' order.
        let partial = (0..<blocks * blocks).map { _ in Storage<Float>(count: side * k) }
        let pairs = (0..<blocks).flatMap { row in (row..<blocks).map { (row, $0) } }
        try executor.forEach(pairs.count) { index in
            let (row, column) = pairs[index]
            let tile = tile(row, column)
            unsafe Float.gemm(
                side, k, side, alpha: 1, tile.base, side, vectors.base + column * side * k, k, beta: 0, partial[row * blocks + column].base, k)
            if row != column {
                unsafe Float.gemmLeftTransposed(
                    side, k, side, alpha: 1, tile.base, side, vectors.base + row * side * k, k, beta: 0, partial[column * blocks + row].base, k)
            }
        }
        let result = Matrix<Double>(uninitializedRows: order, columns: k)
        try executor.forEach(blocks) { row in
            let rows = Self.range(row, side, order)
            for i in 0..<rows.count {
                for column in 0..<k {
                    var sum = 0.0
                    for other in 0..<blocks { unsafe sum += Double(partial[row * blocks + other].base[i * k + column]) }
                    unsafe result.base[(rows.lowerBound + i) * k + column] = sum * scales[column]
                }
            }
        }
        return result
    }

    /// Columns of K [n, count] in float64.
    public func columns(_ indices: [Int]) -> Matrix<Double> {
        let result = Matrix<Double>(uninitializedRows: order, columns: indices.count)
        for (target, index) in indices.enumerated() {
            let (own, within) = (index / side, index % side)
            for i in 0..<order {
                let (block, row) = (i / side, i % side)
                let value: Float =
                    if block < own {
                        unsafe tile(block, own).base[row * side + within]
                    } else if block > own {
                        unsafe tile(own, block).base[within * side + row]
                    } else {
                        unsafe tile(own, own).base[row * side + within]
                    }
                unsafe result.base[i * indices.count + target] = i == index ? diagonal[i] : Double(value)
            }
        }
        return result
    }
}
