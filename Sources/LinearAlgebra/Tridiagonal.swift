internal import COpenBLAS

/// A = Q T Qᵀ of a symmetric matrix with T tridiagonal and Q orthogonal (LAPACK dsytrd): 4n³/3 operations, after which anything that
/// depends on A + λI through Qᵀy alone takes O(n) for each λ.
public struct Tridiagonal: Sendable {
    /// T_ii.
    public let diagonal: [Double]
    /// T_{i,i+1}.
    public let offDiagonal: [Double]
    /// Householder vectors of Q, as LAPACK leaves them.
    private let reflectors: Matrix<Double>
    private let scales: [Double]

    public var order: Int { diagonal.count }

    /// Reduces `matrix` in place; both halves must be there. Where nobody waits for it any more, the result is any.
    public init(inPlace matrix: Matrix<Double>) {
        precondition(matrix.rows == matrix.columns && matrix.rows > 0)
        BLAS.useCallingThreadOnly()
        // Squares must stay in range; a power of two changes no digit.
        let unit = Self.unit(matrix.largestMagnitude)
        if unit != 1 { matrix.scaleRows([Double](repeating: 1 / unit, count: matrix.rows)) }
        var reduction = TridiagonalReduction(matrix)
        reduction.run()
        let (d, e, tau) = (reduction.diagonal, reduction.offDiagonal, reduction.scales)
        diagonal = unit == 1 ? d : d.map { $0 * unit }
        offDiagonal = matrix.rows > 1 ? e.map { $0 * unit } : []
        reflectors = matrix
        scales = tau
    }

    private static func unit(_ largest: Double) -> Double {
        guard largest > 0, largest.isFinite, !(1e-100...1e100).contains(largest) else { return 1 }
        return Double(sign: .plus, exponent: min(max(largest.exponent, -1_000), 1_000), significand: 1)
    }

    /// Qᵀ B for B [n, k].
    public func project(_ right: Matrix<Double>) -> Matrix<Double> {
        let columns = right.transposed
        apply("T", columns, 0..<right.columns)
        return columns.transposed
    }

    /// Q Z in place, for the columns `range` of Z, which stand as rows of `columns` [k, n].
    func apply(_ operation: String, _ columns: Matrix<Double>, _ range: Range<Int>) {
        guard order > 1, !range.isEmpty else { return }
        BLAS.useCallingThreadOnly()
        var (n, k) = (Int32(order), Int32(range.count))
        var size = 64 * k + 64 * 65
        var work = [Double](repeating: 0, count: Int(size))
        var info: Int32 = 0
        unsafe dormtr_(
            "L", "L", operation, &n, &k, reflectors.base, &n, scales, columns.base + range.lowerBound * order, &n, &work, &size, &info)
        precondition(info == 0, "dormtr takes these arguments")
    }

    /// All eigenvalues in ascending order: O(n²).
    public func eigenvalues() throws(NoConvergence) -> [Double] {
        BLAS.useCallingThreadOnly()
        var n = Int32(order)
        var d = diagonal
        var e = offDiagonal + [0]
        var info: Int32 = 0
        unsafe dsterf_(&n, &d, &e, &info)
        guard info == 0 else { throw NoConvergence() }
        return d
    }

    /// T + λI = L D Lᵀ with L unit bidiagonal, O(n).
    /// - Returns: nil if a pivot is not above `tiniest`.
    public func factor(ridge: Double, tiniest: Double) -> Factor? {
        var pivots = [Double](repeating: 0, count: order)
        var multipliers = [Double](repeating: 0, count: max(order - 1, 0))
        for index in 0..<order {
            var pivot = diagonal[index] + ridge
            if index > 0 { pivot -= multipliers[index - 1] * offDiagonal[index - 1] }
            guard pivot > tiniest else { return nil }
            pivots[index] = pivot
            if index + 1 < order { multipliers[index] = offDiagonal[index] / pivot }
        }
        return Factor(pivots: pivots, multipliers: multipliers)
    }

    /// L and D of T + λI.
    public struct Factor: Sendable {
        let pivots: [Double]
        let multipliers: [Double]

        public var logDeterminant: Double { pivots.reduce(0) { $0 + $1.logarithm } }

        /// tr (T + λI)⁻¹, by (T⁻¹)_ii = 1/d_i + l_i² (T⁻¹)_{i+1,i+1}: a sum of positive terms.
        public var inverseTrace: Double {
            var (last, trace) = (0.0, 0.0)
            for index in pivots.indices.reversed() {
                let multiplier = index < multipliers.count ? multipliers[index] : 0
                last = 1 / pivots[index] + multiplier * multiplier * last
                trace += last
            }
            return trace
        }

        /// (T + λI)⁻¹ b.
        public func solve(_ right: [Double]) -> [Double] {
            var result = right
            for index in 1..<max(result.count, 1) { result[index] -= multipliers[index - 1] * result[index - 1] }
            for index in result.indices.reversed() {
                result[index] /= pivots[index]
                if index < multipliers.count { result[index] -= multipliers[index] * result[index + 1] }
            }
            return result
        }
    }
}

/// The iteration for eigenvalues did not end, which LAPACK knows of matrices that are not finite only.
public struct NoConvergence: Error, Sendable, Equatable {
    public init() {}
}
