internal import LinearAlgebra

/// Factors of one use of a weight for the points of one side: u [samples, positions, extent] or indices [samples, positions], and v [positions,
/// rowExtent] of each row.
struct KernelSide: Sendable {
    var use: StructuredWeight.Use
    var samples: Int
    /// Rows of each sample that take part.
    var cotangents: Int
    var sample: UInt
    var row: UInt
    /// Whether factors are [extent, positions].
    var isPlanar: Bool
    /// Elements of v from one sample to the next, and from one cotangent to the next.
    var sampleStride: Int
    var cotangentStride: Int

    var positions: Int { use.products.positions }
    var rows: Int { samples * cotangents }

    /// Only one cotangent of each sample.
    func only(_ cotangent: Int, size: Int) -> KernelSide {
        var side = self
        side.cotangents = 1
        side.row += UInt(cotangent * cotangentStride * size)
        return side
    }

    @inline(__always)
    func sampleFactor<F: NetworkScalar>(_ sample: Int, _: F.Type) -> Cells<F> {
        let each = positions * use.products.sampleExtent
        return Cells(address: self.sample + UInt(sample * each * MemoryLayout<F>.stride), count: each)
    }

    @inline(__always)
    func indices(_ sample: Int) -> Cells<Int64> { Cells(address: self.sample + UInt(sample * positions * 8), count: positions) }

    @inline(__always)
    func rowFactor<F: NetworkScalar>(_ row: Int, _: F.Type) -> Cells<F> {
        let place = row / cotangents * sampleStride + row % cotangents * cotangentStride
        return Cells(address: self.row + UInt(place * MemoryLayout<F>.stride), count: positions * use.products.rowExtent)
    }

    /// target += the rows `range` of one row's term, whose sample factor has a one at an index for each position: those rows of the weight's
    /// gradient that were read, or its columns.
    @inline(__always)
    func addOneHot<F: NetworkScalar>(_ row: Int, _ range: Range<Int>, columns: Int, to target: Cells<F>) {
        let (indices, v) = (indices(row / cotangents), rowFactor(row, F.self))
        for t in 0..<positions {
            let place = Int(indices[t])
            if use.sampleIsFirst {
                guard range.contains(place) else { continue }
                target.from((place - range.lowerBound) * columns, columns).add(v.from(t * columns, columns))
            } else {
                for r in range { target[(r - range.lowerBound) * columns + place] += v[t * use.products.rowExtent + r] }
            }
        }
    }
}

/// The products of two Jacobian blocks, each [samples · cotangents, count] and sample by sample, that a form of the kernel adds up.
struct BlockProducts<F: NetworkScalar>: Sendable {
    enum Form: Sendable { case full, diagonal, trace }

    let form: Form
    let cotangents: Int
    let left: Int
    let right: Int
    /// Whether both blocks are one: then only the lower triangle of the target is kept right.
    let isSame: Bool

    /// Elements of the target.
    var count: Int {
        switch form {
        case .full: left * right * cotangents * cotangents
        case .diagonal: left * right * cotangents
        case .trace: left * right
        }
    }

    /// A rectangle of a product: rows of the first operand and of the second.
    private struct Piece {
        var rows: Range<Int>
        var columns: Range<Int>
    }

    /// target += X Yᵀ in the form's way.
    func add(_ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>) {
        forEachProduct(x, y, count, target) { m, n, inner, stride, x, y, target in
            if isSame {
                unsafe F.syrk(m, inner, alpha: 1, x.base, stride, beta: 1, target.base, n)
            } else {
                unsafe F.gemmTransposed(m, n, inner, alpha: 1, x.base, stride, y.base, stride, beta: 1, target.base, n)
            }
        }
    }

    /// The products that a form is made of: [m, inner] with [n, inner], rows `stride` apart.
    private func forEachProduct(
        _ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>, _ body: (Int, Int, Int, Int, Cells<F>, Cells<F>, Cells<F>) -> Void
    ) {
        let k = cotangents
        switch form {
        case .full: body(left * k, right * k, count, count, x, y, target)
        case .trace: body(left, right, k * count, k * count, x, y, target)
        case .diagonal:
            for o in 0..<k { body(left, right, count, k * count, x.from(o * count), y.from(o * count), target.from(o * left * right)) }
        }
    }

    private func add(_ piece: Piece, _ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>) {
        let (rows, columns) = (piece.rows, piece.columns)
        forEachProduct(x, y, count, target) { _, n, inner, stride, x, y, target in
            let first = unsafe x.base + rows.lowerBound * stride
            let result = unsafe target.base + rows.lowerBound * n + columns.lowerBound
            if isSame, rows == columns {
                unsafe F.syrk(rows.count, inner, alpha: 1, first, stride, beta: 1, result, n)
            } else {
                unsafe F.gemmTransposed(
                    rows.count, columns.count, inner, alpha: 1, first, stride, y.base + columns.lowerBound * stride, stride, beta: 1, result, n)
            }
        }
    }

    /// The same in rectangles that are shared out to threads: as large as leaves each thread some, for the operands are laid out anew for each.
    func add(_ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>, _ context: PassContext) throws {
        if context.isCancelled() { throw CancellationError() }
        let operations = Double(self.count) * Double(count) * Double(form == .trace ? cotangents : 1)
        let (m, n) = form == .full ? (left * cotangents, right * cotangents) : (left, right)
        let side = min(384, max(48, (max(m, n) + 3) / 4))
        if m <= 48 && n <= 48 || operations < 1e6 { return add(x, y, count, target) }
        var pieces: [Piece] = []
        for top in stride(from: 0, to: m, by: side) {
            for start in stride(from: 0, to: isSame ? min(top + 1, n) : n, by: side) {
                pieces.append(Piece(rows: top..<min(top + side, m), columns: start..<min(start + side, n)))
            }
        }
        let (products, all) = (self, pieces)
        try context.executor.forEach(all.count) { products.add(all[$0], x, y, count, target) }
    }
}

/// Factors of several uses of a weight as those of one, with as many terms: then there is one product where there were many small ones.
struct JoinedSides: Sendable {
    private(set) var sides: [KernelSide]
    private var buffers: [Buffer] = []

    init<F: NetworkScalar>(_ sides: [KernelSide], _: F.Type) {
        self.sides = sides
        guard sides.count > 1, let first = sides.first,
            sides.allSatisfy({ !$0.isPlanar && !$0.use.products.isOneHot && $0.use.sampleIsFirst == first.use.sampleIsFirst })
        else { return }
        let (samples, k) = (first.samples, first.cotangents)
        let terms = sides.reduce(0) { $0 + $1.positions }
        let (uCount, vCount) = (terms * first.use.products.sampleExtent, terms * first.use.products.rowExtent)
        let (u, v) = (Buffer(F.self, count: samples * uCount), Buffer(F.self, count: first.rows * vCount))
        let isMajor = first.cotangentStride > first.sampleStride
        var joined = first
        joined.use.products.positions = terms
        (joined.sample, joined.row) = (u.address, v.address)
        joined.sampleStride = isMajor ? vCount : k * vCount
        joined.cotangentStride = isMajor ? samples * vCount : vCount
        var (uStart, vStart) = (0, 0)
        for side in sides {
            let (uEach, vEach) = (side.positions * side.use.products.sampleExtent, side.positions * side.use.products.rowExtent)
            for sample in 0..<samples { joined.sampleFactor(sample, F.self).from(uStart, uEach).copy(side.sampleFactor(sample, F.self)) }
            for row in 0..<first.rows { joined.rowFactor(row, F.self).from(vStart, vEach).copy(side.rowFactor(row, F.self)) }
            uStart += uEach
            vStart += vEach
        }
        self.sides = [joined]
        buffers = [u, v]
    }
}
