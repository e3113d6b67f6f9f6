internal import LinearAlgebra

/// Adds Σ_{t,s} over terms of two uses of one weight to K[r, r'] = ⟨Σ_t u_t ⊗ v_t, Σ_s u'_s ⊗ v'_s⟩:
/// ⟨u_t, u'_s⟩⟨v_t, v'_s⟩ where both have their activations on the same axis of the weight, ⟨u_t, v'_s⟩⟨v_t, u'_s⟩ where they do not.
///
/// The factors of rows stand one behind the other, as they do in the full form and of one cotangent in the others.
struct GramContraction<F: NetworkScalar>: Sendable {
    let left: KernelSide
    let right: KernelSide
    /// K [left.rows, right.rows].
    let target: Cells<F>
    /// Whether only the lower triangle is wanted.
    let isLower: Bool
    /// Whether one is added to each product of activations: the share of a bias, whose gradient is Σ_t v_t, comes with the weight's.
    var addsBias = false

    /// Elements of a tile of the products of cotangents.
    private static var tileElements: Int { 1 << 18 }

    func add(_ context: PassContext) throws {
        let (t, s) = (left.positions, right.positions)
        let side = max(1, Int(Double(Self.tileElements).squareRoot()))
        // Whole samples where some of them fit.
        func whole(_ rows: Int, _ cotangents: Int) -> Int { rows >= cotangents ? rows / cotangents * cotangents : rows }
        let height = whole(min(left.rows, max(1, side / t)), left.cotangents)
        let width = whole(min(right.rows, max(1, Self.tileElements / (height * t) / s)), right.cotangents)
        let (down, across) = ((left.rows + height - 1) / height, (right.rows + width - 1) / width)
        if context.isCancelled() { throw CancellationError() }
        let work = self
        try context.executor.forEach(down * across) { tile in
            if context.isCancelled() { throw CancellationError() }
            let (top, start) = (tile / across * height, tile % across * width)
            let rows = top..<min(top + height, work.left.rows)
            if work.isLower, start >= rows.upperBound { return }
            work.add(rows, start..<min(start + width, work.right.rows))
        }
    }

    private func add(_ rows: Range<Int>, _ columns: Range<Int>) {
        let (t, s) = (left.positions, right.positions)
        // Samples that these rows belong to.
        let above = rows.lowerBound / left.cotangents..<(rows.upperBound - 1) / left.cotangents + 1
        let beside = columns.lowerBound / right.cotangents..<(columns.upperBound - 1) / right.cotangents + 1
        let isSame = left.use.sampleIsFirst == right.use.sampleIsFirst
        // Two products of tall matrices: rows of the first are (sample, t), columns (sample or row, s); of the second (row, t), (row or sample, s).
        let firstRows = above.count * t
        let firstColumns = (isSame ? beside.count : columns.count) * s
        let secondRows = rows.count * t
        let secondColumns = (isSame ? columns.count : beside.count) * s
        let buffers = (Buffer(F.self, count: firstRows * firstColumns), Buffer(F.self, count: secondRows * secondColumns))
        defer { withExtendedLifetime(buffers) {} }
        let (first, second) = (buffers.0.cells(F.self, firstRows * firstColumns), buffers.1.cells(F.self, secondRows * secondColumns))
        if isSame {
            if addsBias { first.fill(1) }
            product(.sample(left, above), .sample(right, beside), first, beta: addsBias ? 1 : 0)
            product(.row(left, rows), .row(right, columns), second)
        } else {
            product(.sample(left, above), .row(right, columns), first)
            product(.row(left, rows), .sample(right, beside), second)
        }
        let (firstBase, secondBase, result) = unsafe (first.base, second.base, target.base)
        for row in rows {
            let a = unsafe firstBase + (row / left.cotangents - above.lowerBound) * t * firstColumns
            let d = unsafe secondBase + (row - rows.lowerBound) * t * secondColumns
            let line = unsafe result + row * right.rows
            for sample in beside {
                let run = max(sample * right.cotangents, columns.lowerBound)..<min((sample + 1) * right.cotangents, columns.upperBound)
                let sampleColumn = (sample - beside.lowerBound) * s
                let rowColumn = (run.lowerBound - columns.lowerBound) * s
                if t == 1, s == 1 {
                    if isSame {
                        let factor = unsafe a[sampleColumn]
                        for index in 0..<run.count { unsafe line[run.lowerBound + index] += factor * d[rowColumn + index] }
                    } else {
                        let factor = unsafe d[sampleColumn]
                        for index in 0..<run.count { unsafe line[run.lowerBound + index] += factor * a[rowColumn + index] }
                    }
                    continue
                }
                for (index, column) in run.enumerated() {
                    let (firstColumn, secondColumn) = isSame ? (sampleColumn, rowColumn + index * s) : (rowColumn + index * s, sampleColumn)
                    var sum: F = 0
                    for term in 0..<t {
                        unsafe sum += dotProduct(a + term * firstColumns + firstColumn, d + term * secondColumns + secondColumn, s)
                    }
                    unsafe line[column] += sum
                }
            }
        }
    }

    /// A run of factors: activations of samples, or cotangents of rows.
    private enum Factor {
        case sample(KernelSide, Range<Int>)
        case row(KernelSide, Range<Int>)

        var isOneHot: Bool { if case .sample(let side, _) = self { side.use.products.isOneHot } else { false } }

        /// Vectors, and the extent of each.
        var shape: (count: Int, extent: Int) {
            switch self {
            case .sample(let side, let range): (range.count * side.positions, side.use.products.sampleExtent)
            case .row(let side, let range): (range.count * side.positions, side.use.products.rowExtent)
            }
        }

        var cells: Cells<F> {
            let (count, extent) = shape
            return switch self {
            case .sample(let side, let range): side.sampleFactor(range.lowerBound, F.self).widened(to: count * extent)
            case .row(let side, let range): side.rowFactor(range.lowerBound, F.self).widened(to: count * extent)
            }
        }

        var indices: Cells<Int64> {
            guard case .sample(let side, let range) = self else { return Cells(address: 0, count: 0) }
            return side.indices(range.lowerBound).widened(to: range.count * side.positions)
        }
    }

    /// y = A Bᵀ of two runs of vectors.
    private func product(_ a: Factor, _ b: Factor, _ y: Cells<F>, beta: F = 0) {
        let (m, k) = a.shape
        let n = b.shape.count
        switch (a.isOneHot, b.isOneHot) {
        case (false, false): unsafe F.gemmTransposed(m, n, k, alpha: 1, a.cells.base, k, b.cells.base, k, beta: beta, y.base, n)
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

/// Σ a_i in eight sums.
@inline(__always)
func runSum<F: NetworkScalar>(_ a: UnsafePointer<F>, _ count: Int) -> F {
    var index = 0
    var sums = SIMD8<F>(repeating: 0)
    while index + 8 <= count {
        sums += unsafe UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<F>.self)
        index += 8
    }
    var result = count >= 8 ? sums.sum() : 0
    while index < count {
        unsafe result += a[index]
        index += 1
    }
    return result
}

/// Σ a_i b_i in eight sums, so that it runs in vector registers.
@inline(__always)
func dotProduct<F: NetworkScalar>(_ a: UnsafePointer<F>, _ b: UnsafePointer<F>, _ count: Int) -> F {
    var index = 0
    var result: F = 0
    if count >= 8 {
        var sums = SIMD8<F>(repeating: 0)
        while index + 8 <= count {
            let x = unsafe UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<F>.self)
            let y = unsafe UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<F>.self)
            sums += x * y
            index += 8
        }
        result = sums.sum()
    }
    while index < count {
        unsafe result += a[index] * b[index]
        index += 1
    }
    return result
}
