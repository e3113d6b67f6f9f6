/// P A Pᵀ = L Lᵀ: a factor of a matrix whose rows and columns were put in another order.
public struct PermutedCholesky: Sendable {
    public let cholesky: Cholesky<Double>
    /// Row i of the factor is row `permutation[i]` of A.
    let permutation: [Int]

    private var inverse: [Int] {
        var inverse = permutation
        for (row, original) in permutation.enumerated() { inverse[original] = row }
        return inverse
    }

    /// A⁻¹ B for B [n, k].
    public func solve(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try cholesky.solve(right.rows(permutation), on: executor).rows(inverse)
    }

    /// W with W Wᵀ = B A⁻¹ Bᵀ for B [m, n].
    public func whiten(_ left: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try cholesky.whiten(left.columns(permutation), on: executor)
    }

    /// B A⁻¹ for B [m, n].
    public func solveRows(_ left: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try cholesky.solveRows(left.columns(permutation), on: executor).columns(inverse)
    }

    /// The diagonal of A⁻¹.
    public func inverseDiagonal(on executor: any TileExecutor) throws -> [Double] {
        let own = try cholesky.inverseDiagonal(on: executor)
        return inverse.map { own[$0] }
    }
}
