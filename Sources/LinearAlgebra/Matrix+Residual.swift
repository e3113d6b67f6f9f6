internal import CCompensatedSums

extension Matrix where Element == Double {
    /// B − (A + Λ) X for a symmetric A and a diagonal Λ, as if computed in twice the working precision and then rounded: what iterative refinement needs to
    /// take the error of X to the rounding unit (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §12.1).
    ///
    /// Only A's elements above the diagonal are read, and its diagonal from `diagonal`, so that a Cholesky factor may stand below.
    /// About 10 n² k operations for B, X [n, k].
    public func residual(
        _ right: Matrix, _ solution: Matrix, diagonal: [Double], shifts: [Double], on executor: any TileExecutor
    ) throws -> Matrix {
        precondition(
            rows == columns && right.rows == rows && solution.rows == rows && diagonal.count == rows && shifts.count == rows
                && right.columns == solution.columns)
        let (n, k) = (rows, right.columns)
        let result = Matrix(uninitializedRows: n, columns: k)
        let outputs = solution.transposed
        let side = 256
        let blocks = stride(from: 0, to: n, by: side).map { $0..<Swift.min($0 + side, n) }
        try executor.forEach(blocks.count) { index in
            let rows = blocks[index]
            let high = Matrix(zeroRows: rows.count, columns: k)
            let low = Matrix(zeroRows: rows.count, columns: k)
            let plane = Matrix(uninitializedRows: rows.count, columns: side)
            for columns in blocks {
                gather(rows, columns, diagonal, into: plane)
                for row in 0..<rows.count {
                    for output in 0..<k {
                        unsafe ntk_dot2(
                            plane.base + row * side, outputs.base + output * n + columns.lowerBound, columns.count,
                            high.base + row * k + output, low.base + row * k + output)
                    }
                }
            }
            for row in 0..<rows.count {
                let i = rows.lowerBound + row
                for output in 0..<k {
                    let element = row * k + output
                    // The shift and the right side belong to the same sum.
                    var (left, right) = ([shifts[i], -1], unsafe [solution.base[i * k + output], right.base[i * k + output]])
                    unsafe ntk_dot2(&left, &right, 2, high.base + element, low.base + element)
                    unsafe result.base[i * k + output] = -(high.base[element] + low.base[element])
                }
            }
        }
        return result
    }

    /// One tile of the symmetric matrix, from what stands above the diagonal.
    private func gather(_ rows: Range<Int>, _ columns: Range<Int>, _ diagonal: [Double], into plane: Matrix) {
        let (n, side) = (self.columns, plane.columns)
        for (row, i) in rows.enumerated() {
            let target = unsafe plane.base + row * side
            // Up to the diagonal from the column above it, then along the row.
            let mirrored = Swift.min(Swift.max(i - columns.lowerBound, 0), columns.count)
            var column = 0
            while column < mirrored {
                unsafe target[column] = base[(columns.lowerBound + column) * n + i]
                column += 1
            }
            if column < columns.count, columns.lowerBound + column == i {
                unsafe target[column] = diagonal[i]
                column += 1
            }
            if column < columns.count {
                unsafe (target + column).update(from: base + i * n + columns.lowerBound + column, count: columns.count - column)
            }
        }
    }
}
