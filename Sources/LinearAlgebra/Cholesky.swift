/// A = L Lᵀ of a symmetric positive definite matrix, in tiles of fixed size: the result does not depend on the number of threads.
public struct Cholesky<Element: Scalar>: Sendable {
    /// L in the lower triangle, row-major. Above it stands what stood there before: of a symmetric matrix, the matrix itself.
    public let factor: Matrix<Element>
    /// The one-norm of A.
    public let norm: Element

    public var order: Int { factor.rows }

    static var tileSide: Int { 256 }

    /// Factors `matrix` in place (only its lower triangle and diagonal are read and changed): n³/3 operations. Left-looking, a block of
    /// columns at a time, so that every tile is written once and products run along whole rows.
    /// - Parameter norm: ‖A‖₁, for the condition number.
    /// - Throws: `NotPositiveDefinite`; what the executor throws.
    public init(inPlace matrix: Matrix<Element>, norm: Element, on executor: any TileExecutor) throws {
        precondition(matrix.rows == matrix.columns, "only a square matrix has a Cholesky factor")
        let n = matrix.rows
        self.norm = norm
        factor = matrix
        let side = Self.tileSide
        for start in stride(from: 0, to: n, by: side) {
            let pivot = start..<min(start + side, n)
            // The pivot's own tile first: it takes as long as any.
            let rows = Self.blocks(start..<n)
            if start > 0 { try executor.forEach(rows.count) { index in Self.update(matrix, rows: rows[index], pivot: pivot) } }
            let minor = unsafe Element.potrf(pivot.count, matrix.base + start * (n + 1), n)
            guard minor == 0 else { throw NotPositiveDefinite(minor: start + minor) }
            try executor.forEach(rows.count - 1) { index in Self.solvePanel(matrix, rows: rows[index + 1], pivot: pivot) }
        }
    }

    /// As above for a full symmetric matrix, whose norm is found first.
    public init(inPlace matrix: Matrix<Element>, on executor: any TileExecutor) throws {
        try self.init(inPlace: matrix, norm: matrix.symmetricOneNorm(on: executor), on: executor)
    }

    /// A factor that is known.
    init(factor: Matrix<Element>, norm: Element) { (self.factor, self.norm) = (factor, norm) }

    static func blocks(_ rows: Range<Int>) -> [Range<Int>] {
        stride(from: rows.lowerBound, to: rows.upperBound, by: tileSide).map { $0..<min($0 + tileSide, rows.upperBound) }
    }

    /// L_ik = A_ik L_kk⁻ᵀ.
    private static func solvePanel(_ matrix: Matrix<Element>, rows: Range<Int>, pivot: Range<Int>) {
        let stride = matrix.columns
        unsafe Element.trsmRight(
            transposed: true, rows.count, pivot.count, matrix.base + pivot.lowerBound * (stride + 1), stride,
            matrix.base + rows.lowerBound * stride + pivot.lowerBound, stride)
    }

    /// A_ij −= Σ_k L_ik L_jkᵀ over all columns left of the pivot.
    private static func update(_ matrix: Matrix<Element>, rows: Range<Int>, pivot: Range<Int>) {
        let stride = matrix.columns
        let left = unsafe matrix.base + rows.lowerBound * stride
        let right = unsafe matrix.base + pivot.lowerBound * stride
        let target = unsafe matrix.base + rows.lowerBound * stride + pivot.lowerBound
        if rows == pivot {
            unsafe Element.syrk(rows.count, pivot.lowerBound, alpha: -1, left, stride, beta: 1, target, stride)
        } else {
            unsafe Element.gemmTransposed(
                rows.count, pivot.count, pivot.lowerBound, alpha: -1, left, stride, right, stride, beta: 1, target, stride)
        }
    }

    /// log det A = 2 Σ log L_ii.
    public var logDeterminant: Double {
        var sum = 0.0
        for index in 0..<order { sum += Double(factor[index, index]).logarithm }
        return 2 * sum
    }

    /// An estimate of 1 / (‖A‖₁ ‖A⁻¹‖₁) (LAPACK pocon), O(n²).
    public var reciprocalCondition: Element {
        guard order > 0 else { return 1 }
        return unsafe Element.pocon(order, factor.base, order, norm: norm)
    }
}

/// A pivot was not positive: the matrix is singular or indefinite to working precision.
public struct NotPositiveDefinite: Error, Sendable, Equatable {
    /// The first leading minor that is not positive, from 1.
    public var minor: Int

    public init(minor: Int) { self.minor = minor }
}

extension Range<Int> {
    func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
