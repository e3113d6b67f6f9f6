import LinearAlgebra
import Testing

struct MatrixTilesTests {
    /// Tiles of all sizes around those of blocks and of vectors, stored with their mirror images or without: what an element at a time gives.
    /// The last two matrices are so large that whole cache lines go past the caches; of the last none is whole.
    @Test(arguments: [(1, 240), (7, 4), (33, 16), (50, 19), (97, 48), (1_456, 240), (1_449, 241)], [false, true])
    func stored(size: (count: Int, side: Int), mirrored: Bool) {
        check(size.count, size.side, mirrored, Double.self)
        check(size.count, size.side, mirrored, Float.self)
    }

    private func check<Element: Scalar>(_ count: Int, _ side: Int, _ mirrored: Bool, _: Element.Type) {
        func value(_ row: Int, _ column: Int) -> Element { Element(1_000 * row + column) }
        let matrix = Matrix<Element>(zeroRows: count, columns: count)
        for tile in TileGrid(rows: count, columns: count, side: side, upperOnly: mirrored).tiles {
            let stride = tile.columns.count + 3
            let plane = Storage<Element>(count: tile.rows.count * stride)
            for row in tile.rows.indices {
                for column in tile.columns.indices {
                    let place = (row - tile.rows.lowerBound) * stride + column - tile.columns.lowerBound
                    // Below the diagonal stands what must not be read.
                    plane.set(place, row <= column || !mirrored ? value(row, column) : -1)
                }
            }
            matrix.store(plane, stride: stride, tile: tile, mirrored: mirrored)
        }
        let wrong = (0..<count * count).first { place in
            let (row, column) = (place / count, place % count)
            return matrix[row, column] != (mirrored ? value(min(row, column), max(row, column)) : value(row, column))
        }
        #expect(wrong == nil)
    }
}
