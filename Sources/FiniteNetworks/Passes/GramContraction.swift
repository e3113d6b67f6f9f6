internal import LinearAlgebra

/// Adds Σ_{t,s} over terms of two uses of one weight to K[r, r'] = ⟨Σ_t u_t ⊗ v_t, Σ_s u'_s ⊗ v'_s⟩:
/// ⟨u_t, u'_s⟩⟨v_t, v'_s⟩ where both have their activations on the same axis of the weight, ⟨u_t, v'_s⟩⟨v_t, u'_s⟩ where they do not.
struct GramContraction<F: NetworkScalar>: Sendable {
    /// One use of one side: u [samples, positions, extent] or indices [samples, positions], v [rows, positions, rowExtent].
    struct Side: Sendable {
        var use: StructuredWeight.Use
        var samples: Int
        var cotangents: Int
        var sample: UInt
        var row: UInt

        var positions: Int { use.products.positions }
        var rows: Int { samples * cotangents }
    }

    let left: Side
    let right: Side
    /// K [left.rows, right.rows].
    let target: Cells<F>

    /// Elements of a tile of the products of cotangents.
    private static var tileElements: Int { 1 << 19 }

    func add(_ context: PassContext) throws {
        let (t, s) = (left.positions, right.positions)
        let side = max(1, Int(Double(Self.tileElements).squareRoot()))
        let (height, width) = (max(1, side / t), max(1, min(right.rows, Self.tileElements / max(1, side / t) / t / s)))
        let (down, across) = ((left.rows + height - 1) / height, (right.rows + width - 1) / width)
        if context.isCancelled() { throw CancellationError() }
        try context.executor.forEach(down * across) { tile in
            if context.isCancelled() { throw CancellationError() }
            let (top, start) = (tile / across * height, tile % across * width)
            add(top..<min(top + height, left.rows), start..<min(start + width, right.rows))
        }
    }

    private func add(_ rows: Range<Int>, _ columns: Range<Int>) {
        let (t, s) = (left.positions, right.positions)
        // Samples that these rows belong to.
        let above = rows.lowerBound / left.cotangents..<(rows.upperBound - 1) / left.cotangents + 1
        let beside = columns.lowerBound / right.cotangents..<(columns.upperBound - 1) / right.cotangents + 1
        let isSame = left.use.sampleIsFirst == right.use.sampleIsFirst
        // Two products of tall matrices: rows of the first are (sample or row, t), columns (sample or row, s).
        let firstRows = above.count * t
        let firstColumns = (isSame ? beside.count : columns.count) * s
        let secondRows = rows.count * t
        let secondColumns = (isSame ? columns.count : beside.count) * s
        let buffers = (Buffer(F.self, count: firstRows * firstColumns), Buffer(F.self, count: secondRows * secondColumns))
        let (first, second) = (buffers.0.cells(F.self, firstRows * firstColumns), buffers.1.cells(F.self, secondRows * secondColumns))
        if isSame {
            product(.sample(left, above), .sample(right, beside), first)
            product(.row(left, rows), .row(right, columns), second)
        } else {
            product(.sample(left, above), .row(right, columns), first)
            product(.row(left, rows), .sample(right, beside), second)
        }
        let (firstBase, secondBase, result) = unsafe (first.base, second.base, target.base)
        for row in rows {
            let (firstRow, secondRow) = ((row / left.cotangents - above.lowerBound) * t, (row - rows.lowerBound) * t)
            for column in columns {
                let sampleColumn = (column / right.cotangents - beside.lowerBound) * s
                let rowColumn = (column - columns.lowerBound) * s
                let (firstColumn, secondColumn) = isSame ? (sampleColumn, rowColumn) : (rowColumn, sampleColumn)
                var sum: F = 0
                for term in 0..<t {
                    let a = unsafe firstBase + (firstRow + term) * firstColumns + firstColumn
                    let d = unsafe secondBase + (secondRow + term) * secondColumns + secondColumn
                    for index in 0..<s { unsafe sum += a[index] * d[index] }
                }
                unsafe result[row * right.rows + column] += sum
            }
        }
    }

    /// A run of factors: activations of samples, or cotangents of rows.
    private enum Factor {
        case sample(Side, Range<Int>)
        case row(Side, Range<Int>)

        var isOneHot: Bool { if case .sample(let side, _) = self { side.use.products.isOneHot } else { false } }

        /// Vectors, and the extent of each.
        var shape: (count: Int, extent: Int) {
            switch self {
            case .sample(let side, let range): (range.count * side.positions, side.use.products.sampleExtent)
            case .row(let side, let range): (range.count * side.positions, side.use.products.rowExtent)
            }
        }

        var cells: Cells<F> {
            switch self {
            case .sample(let side, let range):
                let each = side.positions * side.use.products.sampleExtent
                return Cells(address: side.sample + UInt(range.lowerBound * each * MemoryLayout<F>.stride), count: range.count * each)
            case .row(let side, let range):
                let each = side.positions * side.use.products.rowExtent
                return Cells(address: side.row + UInt(range.lowerBound * each * MemoryLayout<F>.stride), count: range.count * each)
            }
        }

        var indices: Cells<Int64> {
            guard case .sample(let side, let range) = self else { return Cells(address: 0, count: 0) }
            return Cells(address: side.sample + UInt(range.lowerBound * side.positions * 8), count: range.count * side.positions)
        }
    }

    /// y = A Bᵀ of two runs of vectors.
    private func product(_ a: Factor, _ b: Factor, _ y: Cells<F>) {
        let (m, k) = a.shape
        let n = b.shape.count
        switch (a.isOneHot, b.isOneHot) {
        case (false, false): unsafe F.gemmTransposed(m, n, k, alpha: 1, a.cells.base, k, b.cells.base, k, beta: 0, y.base, n)
        case (true, true):
            let (left, right) = (a.indices, b.indices)
            for i in 0..<m { for j in 0..<n { y[i * n + j] = left[i] == right[j] ? 1 : 0 } }
        case (true, false):
            let (left, right) = (a.indices, b.cells)
            for i in 0..<m { for j in 0..<n { y[i * n + j] = right[j * k + Int(left[i])] } }
        case (false, true):
            let (left, right) = (a.cells, b.indices)
            for i in 0..<m { for j in 0..<n { y[i * n + j] = left[i * k + Int(right[j])] } }
        }
    }
}
