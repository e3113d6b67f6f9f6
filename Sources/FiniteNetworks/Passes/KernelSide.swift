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

    /// target += X Yᵀ in the form's way; `rows`: of the first operand, for pieces that run at the same time.
    func add(_ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>, pieces: Range<Int>? = nil) {
        let k = cotangents
        switch form {
        case .full: product(left * k, right * k, count, count, x, y, target, pieces)
        case .trace: product(left, right, k * count, k * count, x, y, target, pieces)
        case .diagonal:
            for o in 0..<k {
                product(left, right, count, k * count, x.from(o * count), y.from(o * count), target.from(o * left * right), pieces)
            }
        }
    }

    /// Rows of a product.
    var height: Int { form == .full ? left * cotangents : left }

    private func product(
        _ m: Int, _ n: Int, _ inner: Int, _ stride: Int, _ x: Cells<F>, _ y: Cells<F>, _ target: Cells<F>, _ pieces: Range<Int>?
    ) {
        guard let pieces else {
            if isSame {
                unsafe F.syrk(m, inner, alpha: 1, x.base, stride, beta: 1, target.base, n)
            } else {
                unsafe F.gemmTransposed(m, n, inner, alpha: 1, x.base, stride, y.base, stride, beta: 1, target.base, n)
            }
            return
        }
        // Of the same block, columns up to the piece's own.
        let columns = isSame ? min(n, pieces.upperBound) : n
        unsafe F.gemmTransposed(
            pieces.count, columns, inner, alpha: 1, x.base + pieces.lowerBound * stride, stride, y.base, stride, beta: 1,
            target.base + pieces.lowerBound * n, n)
    }

    /// The same with rows of the target shared out to threads.
    func add(_ x: Cells<F>, _ y: Cells<F>, _ count: Int, _ target: Cells<F>, _ context: PassContext) throws {
        if context.isCancelled() { throw CancellationError() }
        let operations = Double(self.count) * Double(count) * Double(form == .trace ? cotangents : 1)
        let side = 48
        let pieces = (height + side - 1) / side
        if pieces == 1 || operations < 1e6 { return add(x, y, count, target) }
        let products = self
        try context.executor.forEach(pieces) { piece in
            products.add(x, y, count, target, pieces: piece * side..<min((piece + 1) * side, products.height))
        }
    }
}
