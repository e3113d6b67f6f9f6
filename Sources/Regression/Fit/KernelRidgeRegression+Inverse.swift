public import LinearAlgebra

// Parts of M = (K + λW⁻¹)⁻¹ = W^½ (B + λI)⁻¹ W^½ of the distinct points, without which M is not formed.
extension KernelRidgeRegression {
    /// Whether K + λI was solved over some of its modes only, so that M is a pseudo-inverse.
    public var isSingular: Bool {
        if case .spectral(let spectral) = factor?.solver { spectral.isSingular } else { false }
    }

    /// V [c, m] with V Vᵀ = M_CC for the distinct points C: rows of W^½ L⁻ᵀ, for B + λI = L Lᵀ. c m² operations.
    public func inverseRoot(of points: [Int], on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let units = Matrix<Double>(zeroRows: points.count, columns: groups.groupCount)
        for (row, point) in points.enumerated() { units.storage.set(row * units.columns + point, groups.multiplicities[point].squareRoot()) }
        return try solver.whiten(units, on: executor)
    }

    /// The diagonal of (B + λI)⁻¹ [m], also where the diagnostics are not complete: m³/3 operations.
    public func inverseDiagonal(on executor: any TileExecutor) throws -> [Double] {
        zip(try solver.solver.inverseDiagonal(on: executor), solver.scaling.exponents).map { $0.scaled(by: -2 * $1) }
    }
}
