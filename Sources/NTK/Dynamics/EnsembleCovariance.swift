public import LinearAlgebra

/// The covariance over initializations of outputs f(x*) = f_0(x*) + V (y − f_0(X)), with f_0 a Gaussian process of covariance K:
///
///     K** + V K Vᵀ − V K*ᵀ − K* Vᵀ = K** − (V Mᵀ + M Vᵀ),   M = K* − ½ V K
///
/// for K* = K(x*, X) (Lee et al. 2019, arXiv 1902.06720, eq. 16).
public struct EnsembleCovariance: Sendable {
    private let map: Matrix<Double>
    private let half: Matrix<Double>

    /// - Parameters:
    ///   - map: V [t, m].
    ///   - trainTrain: K [m, m].
    ///   - testTrain: K* [t, m].
    public init(
        map: Matrix<Double>, trainTrain: Matrix<Double>, testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        self.map = map
        half = testTrain.combining(try map.multiply(trainTrain, on: executor)) { $0 - $1 / 2 }
    }

    /// The diagonal, from K(x*, x*) [t]; never negative.
    public func diagonal(_ prior: [Double]) -> [Double] {
        (0..<prior.count).map { test in
            let sum = zip(map.row(test), half.row(test)).reduce(0) { $0 + $1.0 * $1.1 }
            return max(prior[test] - 2 * sum, 0)
        }
    }

    /// All of it [t, t], from K** [t, t]; symmetric, its diagonal never negative.
    public func full(_ prior: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let product = try map.multiplyTransposed(half, on: executor)
        let covariance = prior.subtracting(product.adding(product.transposed))
        covariance.storeDiagonal(covariance.diagonal.map { max($0, 0) })
        covariance.mirrorUpperHalf()
        return covariance
    }
}
