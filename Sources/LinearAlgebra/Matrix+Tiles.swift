internal import CSupport

extension Matrix {
    /// Elements of a cache line.
    private static var line: Int { Int(NTK_LINE_BYTES) / MemoryLayout<Element>.stride }
    /// From this size on little of a matrix is still in a core's own caches when all of it is written.
    private static var streamedBytes: Int { 8 << 20 }

    /// Writes a tile from a plane whose rows are `stride` apart. Tiles of one matrix may be written at the same time.
    /// - Parameter mirrored: writes the transposed tile too; of a tile on the diagonal only its upper triangle is read.
    @specialized(where Element == Double)
    @specialized(where Element == Float)
    public func store(_ plane: Storage<Element>, stride: Int, tile: Tile, mirrored: Bool) {
        let source = unsafe plane.base
        let onDiagonal = mirrored && tile.rows.lowerBound == tile.columns.lowerBound
        if !onDiagonal, isStreamed(tile) { return unsafe stream(source, stride, tile, mirrored) }
        for row in 0..<tile.rows.count {
            let start = onDiagonal ? row : 0
            let target = unsafe base + (tile.rows.lowerBound + row) * columns + tile.columns.lowerBound
            unsafe (target + start).update(from: source + row * stride + start, count: tile.columns.count - start)
        }
        guard mirrored else { return }
        // In blocks, so that the lines written stay in the first-level cache.
        let block = 16
        let target = unsafe base + tile.columns.lowerBound * columns + tile.rows.lowerBound
        for top in Swift.stride(from: 0, to: tile.rows.count, by: block) {
            for left in Swift.stride(from: 0, to: tile.columns.count, by: block) {
                let (bottom, right) = (min(top + block, tile.rows.count), min(left + block, tile.columns.count))
                // By fours where the whole block is wanted.
                let isWhole = !onDiagonal || bottom <= left
                let (fourBottom, fourRight) = isWhole ? (bottom - (bottom - top) % 4, right - (right - left) % 4) : (top, left)
                for column in Swift.stride(from: left, to: fourRight, by: 4) {
                    for row in Swift.stride(from: top, to: fourBottom, by: 4) {
                        unsafe Self.transposeFours(source + row * stride + column, stride, target + column * columns + row, columns)
                    }
                }
                for column in left..<right {
                    let target = unsafe target + column * columns
                    let end = onDiagonal ? min(bottom, column) : bottom
                    var row = column < fourRight ? fourBottom : top
                    while row < end {
                        unsafe target[row] = source[row * stride + column]
                        row += 1
                    }
                }
            }
        }
    }

    /// Whether a tile consists of whole cache lines, its transpose too, of a matrix beyond the caches.
    private func isStreamed(_ tile: Tile) -> Bool {
        let line = Self.line
        guard rows * columns * MemoryLayout<Element>.stride >= Self.streamedBytes else { return false }
        return unsafe UInt(bitPattern: base) % UInt(NTK_LINE_BYTES) == 0 && columns % line == 0
            && [tile.rows.lowerBound, tile.rows.count, tile.columns.lowerBound, tile.columns.count].allSatisfy { $0 % line == 0 }
    }

    /// `store` of whole cache lines, past the caches.
    private func stream(_ source: UnsafePointer<Element>, _ stride: Int, _ tile: Tile, _ mirrored: Bool) {
        let line = Self.line
        for row in 0..<tile.rows.count {
            let target = unsafe base + (tile.rows.lowerBound + row) * columns + tile.columns.lowerBound
            unsafe ntk_stream_lines(target, source + row * stride, tile.columns.count / line)
        }
        guard mirrored else { return ntk_end_streaming() }
        let target = unsafe base + tile.columns.lowerBound * columns + tile.rows.lowerBound
        unsafe withUnsafeTemporaryAllocation(byteCount: line * Int(NTK_LINE_BYTES), alignment: Int(NTK_LINE_BYTES)) { buffer in
            let lines = unsafe buffer.bindMemory(to: Element.self).baseAddress!
            for top in Swift.stride(from: 0, to: tile.rows.count, by: line) {
                for left in Swift.stride(from: 0, to: tile.columns.count, by: line) {
                    for column in Swift.stride(from: 0, to: line, by: 4) {
                        for row in Swift.stride(from: 0, to: line, by: 4) {
                            unsafe Self.transposeFours(
                                source + (top + row) * stride + left + column, stride, lines + column * line + row, line)
                        }
                    }
                    for column in 0..<line {
                        unsafe ntk_stream_lines(target + (left + column) * columns + top, lines + column * line, 1)
                    }
                }
            }
        }
        ntk_end_streaming()
    }

    /// The transpose of 4 × 4 elements, whose rows are so far apart.
    @inline(__always)
    private static func transposeFours(
        _ source: UnsafePointer<Element>, _ stride: Int, _ target: UnsafeMutablePointer<Element>, _ targetStride: Int
    ) {
        func row(_ index: Int) -> SIMD4<Element> { unsafe UnsafeRawPointer(source + index * stride).loadUnaligned(as: SIMD4<Element>.self) }
        func put(_ index: Int, _ row: SIMD4<Element>) {
            unsafe UnsafeMutableRawPointer(target + index * targetStride).storeBytes(of: row, as: SIMD4<Element>.self)
        }
        let upper = SIMD8(lowHalf: row(0), highHalf: row(1))
        let lower = SIMD8(lowHalf: row(2), highHalf: row(3))
        let even = SIMD8(lowHalf: upper.evenHalf, highHalf: lower.evenHalf)
        let odd = SIMD8(lowHalf: upper.oddHalf, highHalf: lower.oddHalf)
        put(0, even.evenHalf)
        put(1, odd.evenHalf)
        put(2, even.oddHalf)
        put(3, odd.oddHalf)
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
