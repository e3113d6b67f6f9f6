extension Cholesky {
    /// A⁻¹ B for B [n, k]: 2 n² k operations, the order of every sum fixed.
    public func solve(_ right: Matrix<Element>, on executor: any TileExecutor) throws -> Matrix<Element> {
        precondition(right.rows == order)
        let result = right.copy()
        let (n, k) = (order, right.columns)
        let blocks = Self.blocks(0..<n)
        for (index, block) in blocks.enumerated() {
            unsafe Element.trsmLeft(
                transposed: false, block.count, k, factor.base + block.lowerBound * (n + 1), n, result.base + block.lowerBound * k, k)
            let below = blocks[(index + 1)...]
            try executor.forEach(below.count) { other in
                let rows = below[below.startIndex + other]
                unsafe Element.gemm(
                    rows.count, k, block.count, alpha: -1, factor.base + rows.lowerBound * n + block.lowerBound, n,
                    result.base + block.lowerBound * k, k, beta: 1, result.base + rows.lowerBound * k, k)
            }
        }
        for (index, block) in blocks.enumerated().reversed() {
            unsafe Element.trsmLeft(
                transposed: true, block.count, k, factor.base + block.lowerBound * (n + 1), n, result.base + block.lowerBound * k, k)
            let above = blocks[..<index]
            try executor.forEach(above.count) { other in
                let rows = above[other]
                unsafe Element.gemmLeftTransposed(
                    rows.count, k, block.count, alpha: -1, factor.base + block.lowerBound * n + rows.lowerBound, n,
                    result.base + block.lowerBound * k, k, beta: 1, result.base + rows.lowerBound * k, k)
            }
        }
        return result
    }

    /// B L⁻ᵀ for B [m, n], so that B A⁻¹ Bᵀ = W Wᵀ with W the result: m n² operations. A row's result does not depend on the others.
    public func whiten(_ left: Matrix<Element>, on executor: any TileExecutor) throws -> Matrix<Element> {
        precondition(left.columns == order)
        return try unsafe left.mapRowBlocks(columns: order, on: executor) { rows, input, output in
            unsafe output.update(from: input, count: rows * order)
            unsafe Element.trsmRight(transposed: true, rows, order, factor.base, order, output, order)
        }
    }

    /// B A⁻¹ for B [m, n]: 2 m n² operations. A row's result does not depend on the others.
    public func solveRows(_ left: Matrix<Element>, on executor: any TileExecutor) throws -> Matrix<Element> {
        precondition(left.columns == order)
        return try unsafe left.mapRowBlocks(columns: order, on: executor) { rows, input, output in
            unsafe output.update(from: input, count: rows * order)
            unsafe Element.trsmRight(transposed: true, rows, order, factor.base, order, output, order)
            unsafe Element.trsmRight(transposed: false, rows, order, factor.base, order, output, order)
        }
    }

    /// The diagonal of A⁻¹ = L⁻ᵀ L⁻¹: the sums of squares of the columns of L⁻¹, found a block of columns at a time. n³/3 operations.
    public func inverseDiagonal(on executor: any TileExecutor) throws -> [Element] {
        let n = order
        let diagonal = Storage<Element>(count: n)
        let blocks = Self.blocks(0..<n)
        // The first have the most rows.
        try executor.forEach(blocks.count) { index in
            let width = blocks[index].count
            let start = blocks[index].lowerBound
            let inverse = Matrix<Element>(zeroRows: n - start, columns: width)
            for column in 0..<width { unsafe inverse.base[column * (width + 1)] = 1 }
            for block in blocks[index...] {
                let target = unsafe inverse.base + (block.lowerBound - start) * width
                unsafe Element.gemm(
                    block.count, width, block.lowerBound - start, alpha: -1, factor.base + block.lowerBound * n + start, n, inverse.base, width,
                    beta: 1, target, width)
                unsafe Element.trsmLeft(
                    transposed: false, block.count, width, factor.base + block.lowerBound * (n + 1), n, target, width)
            }
            for column in 0..<width {
                diagonal.set(start + column, unsafe Element.squares(n - start, inverse.base + column, stride: width))
            }
        }
        return diagonal.elements
    }
}
