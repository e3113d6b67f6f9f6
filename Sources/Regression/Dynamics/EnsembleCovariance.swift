public import LinearAlgebra

/// The covariance over initializations of outputs f(x*) = f_0(x*) + V (y − f_0(X)), with f_0 a Gaussian process of covariance K:
///
///     K** + V K Vᵀ − V K*ᵀ − K* Vᵀ = K** − (V Mᵀ + M Vᵀ),   M = K* − ½ V K
///
/// for K* = K(x*, X) (Lee et al. 2019, arXiv 1902.06720, eq. 16).
public struct EnsembleCovariance: Sendable {
    private let map: Matrix<Double>
    private let half: Matrix<Double>
    /// √K_ii.
    private let roots: [Double]
    private let rounding: Double

    /// - Parameters:
    ///   - map: V [t, m].
    ///   - trainTrain: K [m, m].
    ///   - testTrain: K* [t, m].
    ///   - rounding: how far entries of the kernel may be off, relative to √(K_ii K_jj).
    public init(
        map: Matrix<Double>, trainTrain: Matrix<Double>, testTrain: Matrix<Double>, rounding: Double = RegressionOptions.float64Rounding,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        self.map = map
        self.rounding = rounding
        roots = trainTrain.diagonal.map { $0.squareRoot() }
        half = testTrain.combining(try map.multiply(trainTrain, on: executor)) { $0 - $1 / 2 }
    }

    /// The diagonal, from K(x*, x*) [t]; never negative.
    /// - Throws: `RegressionError.negativeVariance` where one is further below 0 than rounding explains.
    public func diagonal(_ prior: [Double]) throws -> [Double] {
        try floored(
            (0..<prior.count).map { test in
                prior[test] - 2 * zip(map.row(test), half.row(test)).reduce(0) { $0 + $1.0 * $1.1 }
            }, prior)
    }

    /// All of it [t, t], from K** [t, t]; symmetric, its diagonal never negative.
    /// - Throws: `RegressionError.negativeVariance`; what the executor throws.
    public func full(_ prior: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let product = try map.multiplyTransposed(half, on: executor)
        let covariance = prior.subtracting(product.adding(product.transposed))
        covariance.storeDiagonal(try floored(covariance.diagonal, prior.diagonal))
        covariance.mirrorUpperHalf()
        return covariance
    }

    private func floored(_ variances: [Double], _ prior: [Double]) throws -> [Double] {
        for (test, variance) in variances.enumerated() where variance < 0 {
            try VarianceFloor.check(variance, test: test, prior: prior[test], map: map.row(test), roots: roots, rounding: rounding)
        }
        return variances.map { max($0, 0) }
    }
}
