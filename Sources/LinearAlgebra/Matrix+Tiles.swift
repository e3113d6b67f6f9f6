extension Matrix {
    /// Writes a tile from a plane whose rows are `stride` apart. Tiles of one matrix may be written at the same time.
    /// - Parameter mirrored: writes the transposed tile too; of a tile on the diagonal only its upper triangle is read.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func store(_ plane: Storage<Element>, stride: Int, tile: Tile, mirrored: Bool) {
        let source = unsafe plane.base
        let onDiagonal = mirrored && tile.rows.lowerBound == tile.columns.lowerBound
        for row in 0..<tile.rows.count {
            let start = onDiagonal ? row : 0
            let target = unsafe base + (tile.rows.lowerBound + row) * columns + tile.columns.lowerBound
            unsafe (target + start).update(from: source + row * stride + start, count: tile.columns.count - start)
        }
        guard mirrored else { return }
        // In blocks, so that the lines written stay in the first-level cache.
        let block = 16
        for top in Swift.stride(from: 0, to: tile.rows.count, by: block) {
            for left in Swift.stride(from: 0, to: tile.columns.count, by: block) {
                for column in left..<min(left + block, tile.columns.count) {
                    let target = unsafe base + (tile.columns.lowerBound + column) * columns + tile.rows.lowerBound
                    let end = min(top + block, onDiagonal ? min(column, tile.rows.count) : tile.rows.count)
                    var row = top
                    while row < end {
                        unsafe target[row] = source[row * stride + column]
                        row += 1
                    }
                }
            }
        }
    }

    /// Replaces the diagonal of a square matrix.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func storeDiagonal(_ values: [Double]) {
        precondition(rows == columns && values.count == rows)
        for (index, value) in values.enumerated() { unsafe base[index * columns + index] = Element(value) }
    }

    /// Copies what stands above the diagonal of a square matrix to below it.
    @specialized(where Element == Double)
    public func mirrorUpperHalf() {
        precondition(rows == columns)
        let block = 32
        for top in Swift.stride(from: 0, to: rows, by: block) {
            for left in Swift.stride(from: top, to: columns, by: block) {
                for row in top..<min(top + block, rows) {
                    for column in max(left, row + 1)..<max(left, row + 1, min(left + block, columns)) {
                        unsafe base[column * columns + row] = base[row * columns + column]
                    }
                }
            }
        }
    }
}

extension Matrix where Element == Float {
    /// Rounds the elements of a matrix of the same shape into this one.
    public func assign(_ other: Matrix<Double>) {
        precondition(rows == other.rows && columns == other.columns)
        for index in 0..<rows * columns { unsafe base[index] = Float(other.base[index]) }
    }
}
