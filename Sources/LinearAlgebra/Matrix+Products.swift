internal import Glibc

extension Matrix {
    /// A B for B [k, m], in blocks of rows: 2 n k m operations. A row's result does not depend on the others.
    public func multiply(_ right: Matrix, on executor: any TileExecutor) throws -> Matrix {
        precondition(columns == right.rows)
        guard columns > 0, right.columns > 0 else { return Matrix(zeroRows: rows, columns: right.columns) }
        return try unsafe mapRowBlocks(columns: right.columns, on: executor) { rows, input, output in
            unsafe Element.gemm(
                rows, right.columns, columns, alpha: 1, input, columns, right.base, right.columns, beta: 0, output, right.columns)
        }
    }

    /// A Bᵀ for B [m, k]: 2 n k m operations. A row's result does not depend on the others.
    public func multiplyTransposed(_ right: Matrix, on executor: any TileExecutor) throws -> Matrix {
        precondition(columns == right.columns)
        guard columns > 0, right.rows > 0 else { return Matrix(zeroRows: rows, columns: right.rows) }
        return try unsafe mapRowBlocks(columns: right.rows, on: executor) { rows, input, output in
            unsafe Element.gemmTransposed(rows, right.rows, columns, alpha: 1, input, columns, right.base, columns, beta: 0, output, right.rows)
        }
    }

    /// Aᵀ B for A [n, k] and B [n, m], in blocks of columns of A: 2 n k m operations.
    public func transposedMultiply(_ right: Matrix, on executor: any TileExecutor) throws -> Matrix {
        precondition(rows == right.rows)
        let result = Matrix(zeroRows: columns, columns: right.columns)
        guard rows > 0, right.columns > 0 else { return result }
        let blocks = stride(from: 0, to: columns, by: 64).map { $0..<Swift.min($0 + 64, columns) }
        try executor.forEach(blocks.count) { index in
            let block = blocks[index]
            unsafe Element.gemmLeftTransposed(
                block.count, right.columns, rows, alpha: 1, base + block.lowerBound, columns, right.base, right.columns, beta: 0,
                result.base + block.lowerBound * right.columns, right.columns)
        }
        return result
    }

    /// C + scale·A Aᵀ, one half computed and mirrored, for C symmetric and A [n, k].
    public func addingGram(of factor: Matrix, scale: Element, on executor: any TileExecutor) throws -> Matrix {
        precondition(rows == columns && factor.rows == rows)
        let result = copy()
        let k = factor.columns
        let tiles = TileGrid(rows: rows, columns: rows, side: 256, upperOnly: true).tiles
        try executor.forEach(tiles.count) { index in
            let tile = tiles[index]
            let plane = Storage<Element>(count: tile.rows.count * tile.columns.count)
            for row in 0..<tile.rows.count {
                unsafe (plane.base + row * tile.columns.count).update(
                    from: base + (tile.rows.lowerBound + row) * columns + tile.columns.lowerBound, count: tile.columns.count)
            }
            unsafe Element.gemmTransposed(
                tile.rows.count, tile.columns.count, k, alpha: scale, factor.base + tile.rows.lowerBound * k, k,
                factor.base + tile.columns.lowerBound * k, k, beta: 1, plane.base, tile.columns.count)
            result.store(plane, stride: tile.columns.count, tile: tile, mirrored: true)
        }
        return result
    }

    /// Σ_j A_ij² for each row.
    public var rowSquares: [Element] {
        (0..<rows).map { row in unsafe Element.squares(columns, base + row * columns, stride: 1) }
    }

    /// ‖A‖₁ = max_j Σ_i |A_ij| of a symmetric matrix, of which all elements are read.
    public func symmetricOneNorm(on executor: any TileExecutor) throws -> Element {
        let sums = Storage<Element>(count: rows)
        let tiles = TileGrid(rows: rows, columns: 1, side: 256, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            for row in tiles[index].rows { sums.set(row, unsafe Element.asum(columns, base + row * columns)) }
        }
        return sums.elements.max() ?? 0
    }
}

extension Double {
    var logarithm: Double { log(self) }
}
