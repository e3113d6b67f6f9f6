internal import COpenBLAS

/// K = U Λ Uᵀ of a symmetric positive semi-definite matrix, small eigenvalues as right as large ones: of a graded matrix from a Cholesky
/// factor, by one-sided Jacobi rotations (Demmel & Veselić 1992, SIAM J. Matrix Anal. Appl. 13; LAPACK dgesvj), so that relative errors are
/// those of the condition after scaling to unit diagonal; of others by reduction to tridiagonal form.
public struct DefiniteEigen: Sendable {
    /// Eigenvalues ascending, 0 for those beyond the rank where rotations found them.
    public let eigen: SymmetricEigen
    /// Modes that are not zero to working precision: pivots of Cholesky with complete pivoting, each beside its own diagonal element.
    public let rank: Int
    /// Of each mode Σ_i U_ij² K_ii: with ε times this it is compared.
    public let scales: [Double]

    /// A factor of K, where rotations were taken of all modes.
    public let factor: PermutedCholesky?

    /// From this on, as log₂ of the largest diagonal element over the smallest, rotations are taken, which take longer.
    private static func leastGrading(_ order: Int) -> Int { order <= 256 ? 8 : 20 }
    /// Up to this order, or this rank, rotations of a singular matrix are quick.
    private static let quickOrder = 200
    private static let quickRank = 128
    /// Condition numbers beyond 1/(ε · this) are left to the pivots.
    private static let margin = 64.0

    /// ε times this times `scales` is zero to working precision.
    public static func floor(_ order: Int) -> Double { 6 + 4 * Double(order).squareRoot() }

    /// - Parameters:
    ///   - matrix: K, both halves; it is destroyed.
    ///   - noise: the largest error of an element, relative to √(K_ii K_jj), that rounding in the making of K explains.
    /// - Throws: `Indefinite`, before anything is destroyed; `NotFinite`, what the executor throws.
    public init(inPlace matrix: Matrix<Double>, noise: Double, on executor: any TileExecutor) throws {
        let diagonal = matrix.diagonal
        let n = matrix.rows
        let scaling = UnitScaling(diagonal: diagonal)
        let scaled = matrix.copy()
        let norm = try scaling.apply(to: scaled, on: executor)
        guard norm.isFinite else { throw NotFinite() }
        var isClear = false
        do {
            isClear = try Cholesky(inPlace: scaled, norm: norm, on: executor).reciprocalCondition > Self.margin * .ulpOfOne
        } catch is NotPositiveDefinite {}
        var most = n
        if !isClear {
            // The rank is that of the matrix scaled to unit diagonal, whose rounding is even.
            scaled.mirrorUpperHalf()
            scaled.storeDiagonal(zip(diagonal, scaling.exponents).map { $0.scaled(by: -2 * $1) })
            most = try PivotedCholesky(scaled, noise: noise, on: executor).rank
        }
        let pivoted = isClear && !Self.isGraded(diagonal) ? nil : try PivotedCholesky(matrix, most: most, noise: noise, on: executor)
        if let pivoted, Self.isGraded(diagonal) || n <= Self.quickOrder || pivoted.rank <= Self.quickRank {
            // The vectors are destroyed, the factor is not.
            factor = pivoted.rank == n ? pivoted.cholesky(norm: 0) : nil
            rank = pivoted.rank
            eigen = try Self.rotations(pivoted.vectors, on: executor)
        } else {
            factor = nil
            eigen = try SymmetricEigen(inPlace: matrix, on: executor)
            // Smaller ones are rounding there.
            let least = .ulpOfOne * (eigen.values.last ?? 0)
            rank = min(pivoted?.rank ?? n, eigen.values.count { $0 > least })
        }
        guard eigen.values.allSatisfy(\.isFinite) else { throw NotFinite() }
        scales = try eigen.modeMeans(of: diagonal, on: executor)
    }

    private static func isGraded(_ diagonal: [Double]) -> Bool { UnitScaling.grading(diagonal) > leastGrading(diagonal.count) }

    /// From G [r, n] with K = Gᵀ G: its rows made orthogonal.
    private static func rotations(_ factor: Matrix<Double>, on executor: any TileExecutor) throws -> SymmetricEigen {
        let (r, n) = (factor.rows, factor.columns)
        try executor.forEach(0) { _ in }
        BLAS.useCallingThreadOnly()
        let vectors = Matrix<Double>(zeroRows: n, columns: n)
        var values = [Double](repeating: 0, count: n)
        var singular = [Double](repeating: 0, count: r)
        var found = 0
        if r > 0 {
            // Row-major [r, n] is column-major n × r.
            var (rows, columns, none, one) = (Int32(n), Int32(r), Int32(0), Int32(1))
            var size = Int32(max(n + r, 6))
            var work = [Double](repeating: 0, count: Int(size))
            var info: Int32 = 0
            var unused = 0.0
            unsafe dgesvj_("G", "U", "N", &rows, &columns, factor.base, &rows, &singular, &none, &unused, &one, &work, &size, &info)
            guard info == 0 else { throw NoConvergence() }
            // Descending.
            found = min(Int(work[1]), r)
            for mode in 0..<found {
                let root = singular[mode] * work[0]
                values[n - 1 - mode] = root * root
                unsafe (vectors.base + (n - 1 - mode) * n).update(from: factor.base + mode * n, count: n)
            }
        }
        clear(vectors, singular)
        if found < n { try complete(vectors, n - found) }
        return SymmetricEigen(values: values, vectors: vectors)
    }

    /// Takes from each vector what it has of those of much larger singular values, which rotations leave alone below ε: beside the largest
    /// rows it may be all that the vector has.
    private static func clear(_ vectors: Matrix<Double>, _ singular: [Double]) {
        let n = vectors.rows
        for own in singular.indices {
            let vector = unsafe vectors.base + (n - 1 - own) * n
            for _ in 0..<2 {
                for other in 0..<own where singular[own] * 32 < singular[other] {
                    let larger = unsafe vectors.base + (n - 1 - other) * n
                    let cosine = unsafe cblas_ddot(Int32(n), larger, 1, vector, 1)
                    if cosine != 0 { unsafe cblas_daxpy(Int32(n), -cosine, larger, 1, vector, 1) }
                }
            }
        }
    }

    /// Fills the first `missing` rows so that all are orthonormal.
    private static func complete(_ vectors: Matrix<Double>, _ missing: Int) throws {
        let n = vectors.rows
        let known = n - missing
        let basis = Matrix<Double>(zeroRows: n, columns: n)
        unsafe basis.base.update(from: vectors.base + missing * n, count: known * n)
        var (order, count) = (Int32(n), Int32(known))
        var tau = [Double](repeating: 0, count: max(known, 1))
        var size = Int32(64 * n)
        var work = [Double](repeating: 0, count: Int(size))
        var info: Int32 = 0
        if known > 0 { unsafe dgeqrf_(&order, &count, basis.base, &order, &tau, &work, &size, &info) }
        unsafe dorgqr_(&order, &order, &count, basis.base, &order, &tau, &work, &size, &info)
        guard info == 0 else { throw NoConvergence() }
        unsafe vectors.base.update(from: basis.base + known * n, count: missing * n)
    }
}

/// A matrix has an eigenvalue further below 0 than rounding in its making explains.
public struct Indefinite: Error, Sendable, Equatable {
    public init() {}
}

/// A matrix, or what is made of it, is beyond the range of float64.
public struct NotFinite: Error, Sendable, Equatable {
    public init() {}
}
