internal import LinearAlgebra

/// Whether a kernel is positive semi-definite, up to what rounding in its making explains: judged of K scaled to unit diagonal, and before
/// a ridge is added that would hide it.
enum KernelJudge {
    /// - Parameter kernel: K or W^½ K W^½, both halves.
    /// - Throws: `RegressionError.indefinite`.
    static func check(_ kernel: Matrix<Double>, noise: Double, on executor: any TileExecutor) throws {
        let scaling = UnitScaling(diagonal: kernel.diagonal)
        let copy = kernel.copy()
        let norm = try scaling.apply(to: copy, on: executor)
        guard norm.isFinite else { throw RegressionError.kernelOverflow }
        try checkZeroRows(kernel)
        // In proportion: a diagonal of one exponent is left in its own units. A row of zeros stands for itself.
        copy.storeDiagonal(copy.diagonal.map { $0 > 0 ? $0 * (1 + noise) : 1 })
        do {
            _ = try Cholesky(inPlace: copy, norm: norm, on: executor)
        } catch is NotPositiveDefinite {
            throw try indefinite(kernel)
        }
    }

    /// A point without a variance has no covariances.
    static func checkZeroRows(_ kernel: Matrix<Double>) throws {
        for row in 0..<kernel.rows where kernel[row, row] == 0 {
            guard kernel.row(row).allSatisfy({ $0 == 0 }) else { throw try indefinite(kernel) }
        }
    }

    /// The error, with the eigenvalues that it names.
    static func indefinite(_ kernel: Matrix<Double>) throws -> RegressionError {
        let values = try Tridiagonal(inPlace: kernel.copy()).eigenvalues()
        return .indefinite(leastEigenvalue: values.first ?? 0, largestEigenvalue: values.last ?? 0)
    }

    /// The modes of a kernel, which is destroyed.
    static func eigen(inPlace kernel: Matrix<Double>, noise: Double, on executor: any TileExecutor) throws -> DefiniteEigen {
        try checkZeroRows(kernel)
        do {
            return try DefiniteEigen(inPlace: kernel, noise: noise, on: executor)
        } catch is Indefinite {
            // It is judged before it is destroyed.
            throw try indefinite(kernel)
        } catch is NotFinite {
            throw RegressionError.kernelOverflow
        }
    }
}
