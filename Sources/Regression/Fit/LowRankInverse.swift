internal import CThinProducts
package import LinearAlgebra

/// (F Fᵀ + μI)⁻¹ for F [n, r] as something to apply: V ↦ (V − F (FᵀF + μI)⁻¹ FᵀV)/μ (Woodbury). Reads F twice; O(n r) a vector.
package struct LowRankInverse: Sendable {
    private let factor: Matrix<Double>
    private let shift: Double
    /// Of FᵀF + μI.
    private let core: Cholesky<Double>
    /// The rows of F in pieces for the workers, each a multiple of what is multiplied at once; the last one is a copy with zeros below.
    private let pieces: [Piece]

    private struct Piece: Sendable {
        let rows: Range<Int>
        let storage: Storage<Double>
        let offset: Int
    }

    private static let pieceRows = 512

    /// - Parameters:
    ///   - factor: F, r a multiple of 64 (columns of zeros change nothing).
    ///   - shift: μ > 0.
    package init(_ factor: Matrix<Double>, shift: Double, on executor: any TileExecutor) throws {
        let (n, width) = (factor.rows, factor.columns)
        precondition(width.isMultiple(of: Int(NTK_THIN_COLUMNS)) && shift > 0)
        let gram = try factor.transposedMultiply(factor, on: executor).symmetricCore
        gram.addToDiagonal(shift)
        (self.factor, self.shift, core) = (factor, shift, try Cholesky(inPlace: gram, on: executor))
        let step = Int(NTK_THIN_ROWS)
        let even = n / step * step
        var pieces = stride(from: 0, to: even, by: Self.pieceRows).map {
            Piece(rows: $0..<min($0 + Self.pieceRows, even), storage: factor.storage, offset: $0 * width)
        }
        if even < n {
            let last = Matrix<Double>(zeroRows: step, columns: width)
            unsafe last.base.update(from: factor.base + even * width, count: (n - even) * width)
            pieces.append(Piece(rows: even..<even + step, storage: last.storage, offset: 0))
        }
        self.pieces = pieces
    }

    /// The inverse times V [n, k].
    package func apply(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let (n, k, width) = (right.rows, right.columns, factor.columns)
        guard width > 0 else { return combine(right, nil) }
        let count = k.roundedUp(to: Int(NTK_THIN_VECTORS))
        let rows = n.roundedUp(to: Int(NTK_THIN_ROWS))
        // Not a multiple of 4096 bytes, which would put whole columns into a few places of a core's cache.
        let padded = rows + 16 + rows % 16
        let vectors = Matrix<Double>(zeroRows: count, columns: padded)
        for row in 0..<n { for column in 0..<k { unsafe vectors.base[column * padded + row] = right.base[row * k + column] } }
        // FᵀV: what each piece adds, summed in their order.
        let parts = Storage<Double>(count: pieces.count * count * width)
        try executor.forEach(pieces.count) { index in
            let piece = pieces[index]
            unsafe ntk_thin_products_f64(
                .init(), .init(elements: parts.base + index * count * width, stride: width), matrix(piece), .init(),
                .init(elements: vectors.base + piece.rows.lowerBound, stride: padded), count)
        }
        let inner = Matrix<Double>(zeroRows: width, columns: k)
        for index in pieces.indices {
            for column in 0..<k {
                for row in 0..<width { unsafe inner.base[row * k + column] += parts.base[(index * count + column) * width + row] }
            }
        }
        let solved = try core.solve(inner, on: executor)
        let left = Matrix<Double>(zeroRows: count, columns: width)
        for row in 0..<width { for column in 0..<k { unsafe left.base[column * width + row] = solved.base[row * k + column] } }
        let image = Matrix<Double>(uninitializedRows: count, columns: padded)
        try executor.forEach(pieces.count) { index in
            let piece = pieces[index]
            unsafe ntk_thin_products_f64(
                .init(elements: image.base + piece.rows.lowerBound, stride: padded), .init(), matrix(piece),
                .init(elements: left.base, stride: width), .init(), count)
        }
        return combine(right, image)
    }

    @unsafe
    private func matrix(_ piece: Piece) -> ntk_thin_matrix_f64 {
        unsafe .init(elements: piece.storage.base + piece.offset, rows: piece.rows.count, columns: factor.columns, stride: factor.columns)
    }

    /// (V − image)/μ, with the image's vectors in rows.
    private func combine(_ right: Matrix<Double>, _ image: Matrix<Double>?) -> Matrix<Double> {
        let (n, k) = (right.rows, right.columns)
        let result = Matrix<Double>(uninitializedRows: n, columns: k)
        for row in 0..<n {
            for column in 0..<k {
                let part = if let image { unsafe image.base[column * image.columns + row] } else { 0.0 }
                unsafe result.base[row * k + column] = (right.base[row * k + column] - part) / shift
            }
        }
        return result
    }
}
