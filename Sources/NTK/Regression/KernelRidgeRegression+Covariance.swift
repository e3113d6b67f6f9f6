public import LinearAlgebra

// The Gaussian process's posterior, and what `EnsembleCovariance` makes the ensemble's from. Kernels with the training set are those of the distinct points.
extension KernelRidgeRegression {
    /// The Gaussian process's variance of f at each test point from k(x*, X) [t, m] and k(x*, x*) [t]; never negative. t m² operations.
    public func variance(
        _ testTrain: Matrix<Double>, diagonal: [Double], on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> [Double] {
        let explained = try solver.whiten(scaled(testTrain), on: executor).rowSquares
        return zip(diagonal, explained).map { max($0 - $1, 0) }
    }

    /// The Gaussian process's covariance [t, t] of f from k(x*, X) [t, m] and k(x*, x*') [t, t]; symmetric, its diagonal never negative.
    public func covariance(
        _ testTrain: Matrix<Double>, testTest: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Double> {
        let covariance = try testTest.addingGram(of: solver.whiten(scaled(testTrain), on: executor), scale: -1, on: executor)
        covariance.storeDiagonal(covariance.diagonal.map { max($0, 0) })
        return covariance
    }

    /// V = k(x*, X)(K + λI)⁻¹ [t, m], which takes y at the distinct points (their mean) to f(x*): 2t m² operations.
    public func map(_ testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let map = try solver.solveRows(scaled(testTrain), on: executor)
        if groups.mergedCount > 0 { map.scaleColumns(groups.roots) }
        return map
    }
}
