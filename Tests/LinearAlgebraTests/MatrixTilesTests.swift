import LinearAlgebra
import Testing

struct MatrixTilesTests {
    /// Tiles of all sizes around those of blocks and of vectors, stored with their mirror images: what an element at a time gives.
    @Test(arguments: [(1, 240), (7, 4), (33, 16), (50, 19), (97, 48)])
    func storedAndMirrored(count: Int, side: Int) {
        check(count, side, Double.self)
        check(count, side, Float.self)
    }

    private func check<Element: Scalar>(_ count: Int, _ side: Int, _: Element.Type) {
        func value(_ row: Int, _ column: Int) -> Element { Element(1_000 * row + column) }
        let matrix = Matrix<Element>(zeroRows: count, columns: count)
        let grid = TileGrid(rows: count, columns: count, side: side, upperOnly: true)
        for tile in grid.tiles {
            let stride = tile.columns.count + 3
            let plane = Storage<Element>(count: tile.rows.count * stride)
            for row in tile.rows.indices {
                for column in tile.columns.indices {
                    let place = (row - tile.rows.lowerBound) * stride + column - tile.columns.lowerBound
                    // Below the diagonal stands what must not be read.
                    plane.set(place, row <= column ? value(row, column) : -1)
                }
            }
            matrix.store(plane, stride: stride, tile: tile, mirrored: true)
        }
        for row in 0..<count {
            for column in 0..<count { #expect(matrix[row, column] == value(min(row, column), max(row, column))) }
        }
    }
}
