internal import COpenBLAS

extension Cholesky {
    /// A⁻¹ B for B [n, k]: 2 n² k operations.
    public func solve(_ right: Matrix<Double>) -> Matrix<Double> {
        precondition(right.rows == order)
        BLAS.useCallingThreadOnly()
        let result = right.copy()
        let (n, k) = (Int32(order), Int32(right.columns))
        unsafe cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, k, 1, factor.base, n, result.base, k)
        unsafe cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, k, 1, factor.base, n, result.base, k)
        return result
    }

    /// B L⁻ᵀ for B [m, n], so that B A⁻¹ Bᵀ = W Wᵀ with W the result: m n² operations in tiles of rows.
    public func whiten(_ left: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        precondition(left.columns == order)
        let result = left.copy()
        let n = order
        let tiles = TileGrid(rows: left.rows, columns: 1, side: 64, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            BLAS.useCallingThreadOnly()
            let rows = tiles[index].rows
            unsafe cblas_dtrsm(
                CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, Int32(rows.count), Int32(n), 1, factor.base, Int32(n),
                result.base + rows.lowerBound * n, Int32(n))
        }
        return result
    }

    /// The diagonal of A⁻¹ = L⁻ᵀ L⁻¹: the sums of squares of the columns of L⁻¹, found a block of columns at a time. n³/3 operations.
    public func inverseDiagonal(on executor: any TileExecutor) throws -> [Double] {
        let n = order
        let diagonal = Storage<Double>(count: n)
        let blocks = TileGrid(rows: n, columns: 1, side: 64, upperOnly: false).tiles.map(\.rows)
        try executor.forEach(blocks.count) { index in
            BLAS.useCallingThreadOnly()
            let block = blocks[index]
            // Rows above the block are zero in these columns of L⁻¹.
            let height = n - block.lowerBound
            let inverse = Matrix<Double>(zeroRows: height, columns: block.count)
            for column in 0..<block.count { unsafe inverse.base[column * block.count + column] = 1 }
            unsafe cblas_dtrsm(
                CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, Int32(height), Int32(block.count), 1,
                factor.base + block.lowerBound * (n + 1), Int32(n), inverse.base, Int32(block.count))
            for column in 0..<block.count {
                let values = unsafe inverse.base + column
                diagonal.set(
                    block.lowerBound + column, unsafe cblas_ddot(Int32(height), values, Int32(block.count), values, Int32(block.count)))
            }
        }
        return diagonal.elements
    }
}
