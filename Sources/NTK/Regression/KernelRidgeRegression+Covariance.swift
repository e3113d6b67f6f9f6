public import LinearAlgebra

// The two posteriors. Kernels with the training set are those of the distinct points.
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

    /// What the covariance of an ensemble of networks is made from: the kernel of training Θ at the test points, and of the outputs at
    /// initialization K.
    public struct EnsembleKernels: Sendable {
        /// Θ(x*, X) [t, m].
        public var ntkTestTrain: Matrix<Double>
        /// K(X, X) [m, m].
        public var nngpTrainTrain: Matrix<Double>
        /// K(x*, X) [t, m].
        public var nngpTestTrain: Matrix<Double>

        public init(ntkTestTrain: Matrix<Double>, nngpTrainTrain: Matrix<Double>, nngpTestTrain: Matrix<Double>) {
            self.ntkTestTrain = ntkTestTrain
            self.nngpTrainTrain = nngpTrainTrain
            self.nngpTestTrain = nngpTestTrain
        }
    }

    /// The variance at each test point of infinitely wide networks trained to convergence, from `kernels` and K(x*, x*) [t]. With
    /// V = Θ(x*, X)(Θ + λI)⁻¹ it is the diagonal of K** + V K Vᵀ − V K*ᵀ − K* Vᵀ (Lee et al. 2019, arXiv 1902.06720, eq. 16 for t → ∞).
    public func ensembleVariance(
        _ kernels: EnsembleKernels, diagonal: [Double], on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> [Double] {
        let (map, half) = try ensembleTerms(kernels, on: executor)
        return (0..<diagonal.count).map { test in
            var sum = 0.0
            for point in 0..<map.columns { sum += map[test, point] * half[test, point] }
            return max(diagonal[test] - 2 * sum, 0)
        }
    }

    /// The covariance [t, t] of such networks, from `kernels` and K(x*, x*') [t, t]; symmetric, its diagonal never negative.
    public func ensembleCovariance(
        _ kernels: EnsembleKernels, testTest: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Double> {
        let (map, half) = try ensembleTerms(kernels, on: executor)
        let product = try map.multiplyTransposed(half, on: executor)
        let covariance = testTest.subtracting(product).subtracting(product.transposed)
        covariance.storeDiagonal(covariance.diagonal.map { max($0, 0) })
        return covariance.symmetrized
    }

    /// V, and K* − ½ V K: the covariance is K** − (V Mᵀ + M Vᵀ) with M the second.
    private func ensembleTerms(
        _ kernels: EnsembleKernels, on executor: any TileExecutor
    ) throws -> (map: Matrix<Double>, half: Matrix<Double>) {
        let map = try solver.solveRows(scaled(kernels.ntkTestTrain), on: executor)
        if groups.mergedCount > 0 { map.scaleColumns(groups.roots) }
        let image = try map.multiply(kernels.nngpTrainTrain, on: executor)
        return (map, kernels.nngpTestTrain.combining(image) { $0 - $1 / 2 })
    }
}

extension Matrix where Element == Double {
    /// The upper half, and mirrored below.
    var symmetrized: Matrix {
        Matrix(rows: rows, columns: columns, (0..<rows).flatMap { row in (0..<columns).map { self[min(row, $0), max(row, $0)] } })
    }
}
