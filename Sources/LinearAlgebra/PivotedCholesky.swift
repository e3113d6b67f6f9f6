internal import COpenBLAS

/// A ≈ Σ_j g_j g_jᵀ of a symmetric positive semi-definite matrix by Cholesky with complete pivoting (LAPACK dpstrf; Higham 2002, *Accuracy
/// and Stability of Numerical Algorithms*, §10.3): at most n³/3 operations. What is rounding is told by the matrix scaled to unit diagonal.
public struct PivotedCholesky: Sendable {
    /// g_j in rows [rank, n], in the order of the matrix, the largest pivot first.
    public let vectors: Matrix<Double>
    /// The number of pivots that are more than rounding.
    public var rank: Int { vectors.rows }

    /// Row i of the factor belongs to element `permutation[i]`.
    private let permutation: [Int]
    /// The factor as LAPACK leaves it: L of the permuted matrix in columns.
    private let factored: Matrix<Double>

    /// - Parameters:
    ///   - original: A, whose diagonal and elements above it are read.
    ///   - most: the number of pivots at the most, if it is known: those that are largest beside their own elements.
    ///   - noise: the largest |A_ij − Σ g_i g_j| / √(A_ii A_jj) that rounding in the making of A explains.
    /// - Throws: `Indefinite` where it is larger; what the executor throws.
    public init(_ original: Matrix<Double>, most: Int? = nil, noise: Double, on executor: any TileExecutor) throws {
        precondition(original.rows == original.columns && original.rows > 0)
        let matrix = original.copy()
        BLAS.useCallingThreadOnly()
        try executor.forEach(0) { _ in }
        let n = matrix.rows
        var order = Int32(n)
        var pivots = [Int32](repeating: 0, count: n)
        var (found, info): (Int32, Int32) = (0, 0)
        // To the last pivot above 0.
        var tolerance = 0.0
        var work = [Double](repeating: 0, count: 2 * n)
        // A row-major upper triangle is a column-major lower one.
        unsafe dpstrf_("L", &order, matrix.base, &order, &pivots, &found, &tolerance, &work, &info)
        let permutation = pivots.map { Int($0) - 1 }
        let diagonal = original.diagonal
        /// Steps whose pivots, relative to the element that was there, are above what `floor` gives.
        func relative(_ step: Int) -> Double {
            let root = matrix[step, step] / diagonal[permutation[step]].squareRoot()
            return root * root
        }
        func steps(_ floor: (Int) -> Double) -> [Int] {
            let used = (0..<Int(found)).filter { relative($0) > floor($0) }
            guard let most, used.count > most else { return used }
            return used.sorted { relative($0) > relative($1) }.prefix(most).sorted()
        }
        func factor(_ steps: [Int]) -> Matrix<Double> {
            let vectors = Matrix<Double>(zeroRows: steps.count, columns: n)
            for (target, step) in steps.enumerated() {
                for row in step..<n { unsafe vectors.base[target * n + permutation[row]] = matrix.base[step * n + row] }
            }
            return vectors
        }
        let roots = diagonal.map { $0 > 0 ? 1 / $0.squareRoot() : 1 }
        func largestRest(_ vectors: Matrix<Double>) throws -> Double {
            let product = try vectors.transposedMultiply(vectors, on: executor)
            var largest = 0.0
            for row in 0..<n {
                for column in row..<n {
                    let index = row * n + column
                    largest = unsafe max(largest, abs(original.base[index] - product.base[index]) * roots[row] * roots[column])
                }
            }
            return largest
        }
        // After k steps the elements that are left have errors of about 2√k ε.
        let first = steps { DefiniteEigen.floor($0) * .ulpOfOne }
        var vectors = factor(first)
        var rest = first.count == n ? 0 : try largestRest(vectors)
        if rest > 1e-12, rest <= noise {
            // The matrix is no better than that: pivots as small are noise, too.
            let second = steps { _ in 4 * rest }
            if second.count < first.count {
                vectors = factor(second)
                rest = try largestRest(vectors)
            }
        }
        guard rest <= noise else { throw Indefinite() }
        (self.vectors, self.permutation, factored) = (vectors, permutation, matrix)
    }

    /// L of the permuted matrix, where all pivots are more than rounding.
    /// - Parameter norm: ‖A‖₁.
    public func cholesky(norm: Double) -> PermutedCholesky {
        precondition(rank == factored.rows)
        let n = rank
        let lower = Matrix<Double>(zeroRows: n, columns: n)
        for column in 0..<n { for row in column..<n { unsafe lower.base[row * n + column] = factored.base[column * n + row] } }
        return PermutedCholesky(cholesky: Cholesky(factor: lower, norm: norm), permutation: permutation)
    }
}
