extension Matrix {
    /// Rows in a block that a BLAS call is given.
    static var blockRows: Int { 64 }

    /// A matrix made from this one in blocks of rows, all of the same height: the last is filled up with rows of zeros, so that what comes
    /// out for a row is, bit for bit, the same whichever rows stand beside it.
    @unsafe
    func mapRowBlocks(
        columns width: Int, on executor: any TileExecutor,
        _ body: @escaping @Sendable (_ rows: Int, _ input: UnsafePointer<Element>, _ output: UnsafeMutablePointer<Element>) -> Void
    ) throws -> Matrix {
        let result = Matrix(uninitializedRows: rows, columns: width)
        let height = Self.blockRows
        try executor.forEach((rows + height - 1) / height) { index in
            let start = index * height
            let count = min(height, rows - start)
            let input = unsafe base + start * columns
            let output = unsafe result.base + start * width
            if count == height { return unsafe body(height, input, output) }
            let padded = Matrix(zeroRows: height, columns: columns)
            let made = Matrix(zeroRows: height, columns: width)
            unsafe padded.base.update(from: input, count: count * columns)
            unsafe body(height, padded.base, made.base)
            unsafe output.update(from: made.base, count: count * width)
        }
        return result
    }
}
