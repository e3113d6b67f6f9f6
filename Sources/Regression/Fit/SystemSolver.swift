internal import LinearAlgebra

/// (B + λI)⁻¹, or the pseudo-inverse where that is singular, as something that can be applied.
enum SystemSolver: Sendable {
    case cholesky(Cholesky<Double>)
    /// Of a system that is all but singular.
    case permuted(PermutedCholesky)
    /// A factor in half the precision: good for solutions, which refinement makes right, and for nothing else.
    case singlePrecision(Cholesky<Float>)
    case spectral(SpectralSolver)

    /// (B + λI)⁻¹ Y for Y [m, k].
    func solve(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        switch self {
        case .cholesky(let cholesky): return try cholesky.solve(right, on: executor)
        case .permuted(let cholesky): return try cholesky.solve(right, on: executor)
        case .singlePrecision(let cholesky):
            // Scaled, so that what float64 can hold does not leave the range of float32.
            let largest = right.elements.reduce(0) { max($0, abs($1)) }
            guard largest > 0, largest.isFinite else { return right }
            let scaled = Matrix<Float>(rows: right.rows, columns: right.columns, right.elements.map { Float($0 / largest) })
            let solution = try cholesky.solve(scaled, on: executor)
            return Matrix(rows: right.rows, columns: right.columns, solution.elements.map { Double($0) * largest })
        case .spectral(let spectral): return try spectral.solve(right, on: executor)
        }
    }

    /// W with W Wᵀ = R (B + λI)⁻¹ Rᵀ, for R [t, m].
    func whiten(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        switch self {
        case .cholesky(let cholesky): return try cholesky.whiten(rows, on: executor)
        case .permuted(let cholesky): return try cholesky.whiten(rows, on: executor)
        case .spectral(let spectral): return try spectral.whiten(rows, on: executor)
        case .singlePrecision: preconditionFailure("a factor in float32 was made for solutions only")
        }
    }

    /// R (B + λI)⁻¹ for R [t, m].
    func solveRows(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        switch self {
        case .cholesky(let cholesky): return try cholesky.solveRows(rows, on: executor)
        case .permuted(let cholesky): return try cholesky.solveRows(rows, on: executor)
        case .spectral(let spectral): return try spectral.solveRows(rows, on: executor)
        case .singlePrecision: preconditionFailure("a factor in float32 was made for solutions only")
        }
    }

    func inverseDiagonal(on executor: any TileExecutor) throws -> [Double] {
        switch self {
        case .cholesky(let cholesky): return try cholesky.inverseDiagonal(on: executor)
        case .permuted(let cholesky): return try cholesky.inverseDiagonal(on: executor)
        case .spectral(let spectral): return try spectral.eigen.weightedDiagonal(spectral.weights, on: executor)
        case .singlePrecision: preconditionFailure("a factor in float32 was made for solutions only")
        }
    }
}

/// U diag(1/(λ_j + λ)) Uᵀ over the modes that are not zero to working precision.
struct SpectralSolver: Sendable {
    let eigen: SymmetricEigen
    /// 1/(λ_j + λ), and 0 for modes that are left out.
    let weights: [Double]
    let rank: Int

    /// - Parameter ridge: with which modes that are zero without it may not be.
    init(_ definite: DefiniteEigen, ridge: Double = 0) {
        eigen = definite.eigen
        let zeros = definite.eigen.order - definite.rank
        let floor = DefiniteEigen.floor(definite.eigen.order) * .ulpOfOne
        weights = definite.eigen.values.enumerated().map { mode, value in
            if mode >= zeros { return 1 / (value + ridge) }
            return ridge > floor * (definite.scales[mode] + ridge) ? 1 / (max(value, 0) + ridge) : 0
        }
        rank = weights.count { $0 > 0 }
    }

    var isSingular: Bool { rank < eigen.order }

    var reciprocalCondition: Double {
        guard let largest = weights.max(), let least = weights.filter({ $0 > 0 }).min() else { return 0 }
        return least / largest
    }

    var logDeterminant: Double { weights.reduce(0) { $0 - logarithm($1) } }

    func solve(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let coordinates = try eigen.project(right, on: executor)
        coordinates.scaleRows(weights)
        return try eigen.combine(coordinates, on: executor)
    }

    func whiten(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let coordinates = try rows.multiplyTransposed(eigen.vectors, on: executor)
        coordinates.scaleColumns(weights.map { $0.squareRoot() })
        return coordinates
    }

    func solveRows(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let coordinates = try rows.multiplyTransposed(eigen.vectors, on: executor)
        coordinates.scaleColumns(weights)
        return try coordinates.multiply(eigen.vectors, on: executor)
    }

    /// The projection of Y [m, k] on the modes that are used. Points that none of them has, such as those of no variance, leave no rounding.
    func range(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let coordinates = try eigen.project(right, on: executor)
        coordinates.scaleRows(weights.map { $0 > 0 ? 1 : 0 })
        return try eigen.combine(coordinates, on: executor)
    }

    /// The projection on the modes that are left out: its diagonal, and what it leaves of Y [m, k].
    func nullSpace(_ right: Matrix<Double>, on executor: any TileExecutor) throws -> (diagonal: [Double], component: Matrix<Double>) {
        let isNull = weights.map { $0 > 0 ? 0.0 : 1 }
        let coordinates = try eigen.project(right, on: executor)
        coordinates.scaleRows(isNull)
        return (try eigen.weightedDiagonal(isNull, on: executor), try eigen.combine(coordinates, on: executor))
    }
}
