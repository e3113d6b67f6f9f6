internal import COpenBLAS
internal import Foundation

extension Matrix where Element == Double {
    /// A B for B [k, m], in tiles of rows: 2 n k m operations.
    public func multiply(_ right: Matrix, on executor: any TileExecutor) throws -> Matrix {
        precondition(columns == right.rows)
        let result = Matrix(zeroRows: rows, columns: right.columns)
        guard columns > 0, right.columns > 0 else { return result }
        let tiles = TileGrid(rows: rows, columns: 1, side: 64, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            let block = tiles[index].rows
            unsafe Double.gemm(
                block.count, right.columns, columns, alpha: 1, base + block.lowerBound * columns, columns, right.base, right.columns, beta: 0,
                result.base + block.lowerBound * right.columns, right.columns)
        }
        return result
    }

    /// C − A Aᵀ, the upper half computed and mirrored, for C symmetric and A [n, k].
    public func subtractingGram(of factor: Matrix, on executor: any TileExecutor) throws -> Matrix {
        precondition(rows == columns && factor.rows == rows)
        let result = copy()
        let k = factor.columns
        let tiles = TileGrid(rows: rows, columns: rows, side: 256, upperOnly: true).tiles
        try executor.forEach(tiles.count) { index in
            let tile = tiles[index]
            let plane = Storage<Double>(count: tile.rows.count * tile.columns.count)
            for row in 0..<tile.rows.count {
                unsafe (plane.base + row * tile.columns.count).update(
                    from: base + (tile.rows.lowerBound + row) * columns + tile.columns.lowerBound, count: tile.columns.count)
            }
            unsafe Double.gemmTransposed(
                tile.rows.count, tile.columns.count, k, alpha: -1, factor.base + tile.rows.lowerBound * k, k,
                factor.base + tile.columns.lowerBound * k, k, beta: 1, plane.base, tile.columns.count)
            result.store(plane, stride: tile.columns.count, tile: tile, mirrored: true)
        }
        return result
    }

    /// A + B.
    public func adding(_ other: Matrix) -> Matrix { combining(other, other) { a, b, _ in a + b } }

    /// A matrix made element by element from three of one shape.
    public func combining(_ second: Matrix, _ third: Matrix, _ body: (Double, Double, Double) -> Double) -> Matrix {
        precondition(rows == second.rows && columns == second.columns && rows == third.rows && columns == third.columns)
        let result = Matrix(uninitializedRows: rows, columns: columns)
        for index in 0..<rows * columns { unsafe result.base[index] = body(base[index], second.base[index], third.base[index]) }
        return result
    }

    /// Whether every element is a number, not infinite and not NaN.
    public var isFinite: Bool {
        var all = true
        for index in 0..<rows * columns { unsafe all = all && base[index].isFinite }
        return all
    }

    /// Σ_j A_ij² for each row.
    public var rowSquares: [Double] {
        (0..<rows).map { row in
            unsafe cblas_ddot(Int32(columns), base + row * columns, 1, base + row * columns, 1)
        }
    }

    /// Adds a number to every element of the diagonal, in place.
    public func addToDiagonal(_ value: Double) {
        for index in 0..<min(rows, columns) { unsafe base[index * (columns + 1)] += value }
    }

    /// ‖A‖₁ = max_j Σ_i |A_ij| of a symmetric matrix, of which all elements are read.
    func symmetricOneNorm(on executor: any TileExecutor) throws -> Double {
        let sums = Storage<Double>(count: rows)
        let tiles = TileGrid(rows: rows, columns: 1, side: 256, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            for row in tiles[index].rows { sums.set(row, unsafe cblas_dasum(Int32(columns), base + row * columns, 1)) }
        }
        return sums.elements.max() ?? 0
    }
}

extension Double {
    var logarithm: Double { log(self) }
}
