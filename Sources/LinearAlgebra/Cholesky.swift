internal import COpenBLAS

/// A = L Lᵀ of a symmetric positive definite matrix, in tiles of fixed size: the result does not depend on the number of threads.
public struct Cholesky: Sendable {
    /// L in the lower triangle, row-major; what stands above it has no meaning.
    public let factor: Matrix<Double>
    /// The one-norm of A.
    public let norm: Double

    public var order: Int { factor.rows }

    /// A pivot was not positive: the matrix is singular or indefinite to working precision.
    public struct NotPositiveDefinite: Error, Sendable, Equatable {
        /// The first leading minor that is not positive, from 1.
        public var minor: Int

        public init(minor: Int) { self.minor = minor }
    }

    static let tileSide = 256

    /// Factors `matrix` in place (only its lower triangle is read), right-looking: n³/3 operations.
    /// - Throws: `NotPositiveDefinite`; what the executor throws.
    public init(inPlace matrix: Matrix<Double>, on executor: any TileExecutor) throws {
        precondition(matrix.rows == matrix.columns, "only a square matrix has a Cholesky factor")
        let n = matrix.rows
        norm = try matrix.symmetricOneNorm(on: executor)
        factor = matrix
        let side = Self.tileSide
        for start in stride(from: 0, to: n, by: side) {
            let end = min(start + side, n)
            try Self.factorDiagonal(matrix, start..<end)
            let below = TileGrid(rows: n - end, columns: 1, side: side, upperOnly: false).tiles.map { $0.rows.shifted(by: end) }
            try executor.forEach(below.count) { index in Self.solvePanel(matrix, rows: below[index], pivot: start..<end) }
            let pairs = below.indices.flatMap { row in (0...row).map { (below[row], below[$0]) } }
            try executor.forEach(pairs.count) { index in Self.update(matrix, rows: pairs[index].0, columns: pairs[index].1, pivot: start..<end) }
        }
    }

    private static func factorDiagonal(_ matrix: Matrix<Double>, _ block: Range<Int>) throws(NotPositiveDefinite) {
        BLAS.useCallingThreadOnly()
        var order = Int32(block.count)
        var stride = Int32(matrix.columns)
        var info: Int32 = 0
        // A row-major lower triangle is a column-major upper one.
        unsafe dpotrf_("U", &order, matrix.base + block.lowerBound * (matrix.columns + 1), &stride, &info)
        guard info == 0 else { throw NotPositiveDefinite(minor: block.lowerBound + Int(info)) }
    }

    /// L_ik = A_ik L_kk⁻ᵀ.
    private static func solvePanel(_ matrix: Matrix<Double>, rows: Range<Int>, pivot: Range<Int>) {
        BLAS.useCallingThreadOnly()
        let stride = matrix.columns
        unsafe cblas_dtrsm(
            CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, Int32(rows.count), Int32(pivot.count), 1,
            matrix.base + pivot.lowerBound * (stride + 1), Int32(stride), matrix.base + rows.lowerBound * stride + pivot.lowerBound, Int32(stride))
    }

    /// A_ij −= L_ik L_jkᵀ.
    private static func update(_ matrix: Matrix<Double>, rows: Range<Int>, columns: Range<Int>, pivot: Range<Int>) {
        let stride = matrix.columns
        let left = unsafe matrix.base + rows.lowerBound * stride + pivot.lowerBound
        let right = unsafe matrix.base + columns.lowerBound * stride + pivot.lowerBound
        let target = unsafe matrix.base + rows.lowerBound * stride + columns.lowerBound
        if rows == columns {
            BLAS.useCallingThreadOnly()
            unsafe cblas_dsyrk(
                CblasRowMajor, CblasLower, CblasNoTrans, Int32(rows.count), Int32(pivot.count), -1, left, Int32(stride), 1, target, Int32(stride))
        } else {
            unsafe Double.gemmTransposed(
                rows.count, columns.count, pivot.count, alpha: -1, left, stride, right, stride, beta: 1, target, stride)
        }
    }

    /// log det A = 2 Σ log L_ii.
    public var logDeterminant: Double {
        var sum = 0.0
        for index in 0..<order { sum += factor[index, index].logarithm }
        return 2 * sum
    }

    /// An estimate of 1 / (‖A‖₁ ‖A⁻¹‖₁) (LAPACK dpocon), O(n²).
    public var reciprocalCondition: Double {
        guard order > 0 else { return 1 }
        BLAS.useCallingThreadOnly()
        var n = Int32(order)
        var stride = n
        var norm = norm
        var reciprocal = 0.0
        var info: Int32 = 0
        var work = [Double](repeating: 0, count: 3 * order)
        var integers = [Int32](repeating: 0, count: order)
        unsafe dpocon_("U", &n, factor.base, &stride, &norm, &reciprocal, &work, &integers, &info)
        return reciprocal
    }
}

extension Range<Int> {
    func shifted(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}
