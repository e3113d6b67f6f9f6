package import LinearAlgebra

/// What training points did to the predictions of trained classifiers, by their tangent kernels, averaged over checkpoints.
package enum ClassifierAttribution {
    /// The sums over checkpoints of which TRAK's scores are made (Park et al. 2023, arXiv 2303.14186, eq. 17), without its projection: with the exact
    /// kernel K of log odds, (ΦᵀΦ + λ)⁻¹Φᵀ = Φᵀ(ΦΦᵀ + λ)⁻¹ for ΦΦᵀ = K, so that
    ///
    ///     τ(z, i) = mean_m [K_*(K + λI)⁻¹]_i · mean_m (1 − pᵢ)
    package struct Trak: Sendable {
        private var maps: Matrix<Double>?
        private var doubts: [Double] = []
        private var count = 0.0

        package init() {}

        /// Adds a checkpoint.
        /// - Parameters:
        ///   - kernel: K [n, n]. It is destroyed.
        ///   - cross: K_* [t, n].
        ///   - doubts: 1 − pᵢ [n].
        ///   - ridge: λ.
        /// - Throws: `NotPositiveDefinite` where K + λI is singular; what the executor throws.
        /// - Time: n³/3 + 2 t n².
        package mutating func add(
            inPlace kernel: Matrix<Double>, cross: Matrix<Double>, doubts: [Double], ridge: Double, on executor: any TileExecutor
        ) throws {
            kernel.addToDiagonal(ridge)
            let factor = try Cholesky(inPlace: kernel, on: executor)
            guard factor.reciprocalCondition > 4 * .ulpOfOne else { throw NotPositiveDefinite(minor: kernel.rows) }
            let map = try factor.solveRows(cross, on: executor)
            maps = maps.map { $0.adding(map) } ?? map
            self.doubts = self.doubts.isEmpty ? doubts : zip(self.doubts, doubts).map { $0 + $1 }
            count += 1
        }

        /// τ [t, n]: what log odds of a test point's class gain by each training point.
        package func scores() -> Matrix<Double> {
            guard let maps else { return Matrix(zeroRows: 0, columns: 0) }
            let scores = maps.copy()
            scores.scaleColumns(doubts.map { $0 / (count * count) })
            return scores
        }
    }

    /// Influence functions with the full generalized Gauss–Newton matrix (Koh & Liang 2017, arXiv 1703.04730; Martens 2020):
    ///
    ///     I(z, i) = ∇ℓ(z)ᵀ (JᵀΛJ/n + δI)⁻¹ ∇ℓ(zᵢ) = (1/δ)(gᵀΘ_*i gᵢ − gᵀΘ_*R (H + nδI)⁻¹ RᵀΘ_·i gᵢ),   H = RᵀΘR
    ///
    /// with gradients of losses ∇ℓ = Jᵀg: what the loss at z would gain, n times over, if point i were taken out.
    /// - Parameters:
    ///   - kernel: Θ [n · k, n · k]. It is destroyed.
    ///   - cross: gᵀΘ_* [t, n · k], contracted with the test points' derivatives. It is destroyed.
    ///   - derivatives: gᵢ [n, k].
    ///   - damping: δ > 0.
    /// - Returns: [t, n].
    /// - Throws: `LaplaceError`; what the executor throws.
    /// - Time: (nk)³/3 + 2 t (nk)² + (nk)² n. Memory: n² k more.
    package static func gaussNewton(
        inPlace kernel: Matrix<Double>, cross: Matrix<Double>, _ curvature: OutputCurvature, derivatives: Matrix<Double>, damping: Double,
        on executor: any TileExecutor
    ) throws -> Matrix<Double> {
        let (n, k) = (derivatives.rows, derivatives.columns)
        precondition(kernel.rows == n * k && kernel.columns == n * k && cross.columns == n * k && curvature.order == n * k)
        let direct = try contract(cross, derivatives, on: executor)
        let gradients = try contract(kernel, derivatives, on: executor)
        try curvature.multiplyRows(gradients, on: executor)
        try curvature.multiplyColumns(kernel, on: executor)
        try curvature.multiplyRows(kernel, on: executor)
        try curvature.multiplyColumns(cross, on: executor)
        guard kernel.isFinite, cross.isFinite, gradients.isFinite, direct.isFinite else { throw LaplaceError.overflow }
        let shift = Double(n) * damping
        kernel.addToDiagonal(shift)
        let factor: Cholesky<Double>
        do { factor = try Cholesky(inPlace: kernel, on: executor) } catch is NotPositiveDefinite {
            throw LaplaceError.singular(priorPrecision: damping)
        }
        let explained = try factor.solveRows(cross, on: executor).multiply(gradients, on: executor)
        let result = direct.combining(explained) { ($0 - $1) / damping }
        guard result.isFinite else { throw LaplaceError.overflow }
        return result
    }

    /// Σ_b A_i,jb g_jb [r, n] for A [r, n · k].
    package static func contract(_ matrix: Matrix<Double>, _ derivatives: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let (n, k) = (derivatives.rows, derivatives.columns)
        let result = Matrix<Double>(uninitializedRows: matrix.rows, columns: n)
        let blocks = TileGrid(rows: matrix.rows, columns: 1, side: 64, upperOnly: false).tiles
        try executor.forEach(blocks.count) { index in
            for row in blocks[index].rows {
                let values = unsafe matrix.base + row * n * k
                for point in 0..<n {
                    var sum = 0.0
                    for output in 0..<k { unsafe sum += values[point * k + output] * derivatives.base[point * k + output] }
                    unsafe result.base[row * n + point] = sum
                }
            }
        }
        return result
    }

    /// Σ_a g_ta A_ta [t, c] for A [t · k, c].
    package static func contractRows(_ matrix: Matrix<Double>, _ derivatives: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double>
    {
        let (t, k, width) = (derivatives.rows, derivatives.columns, matrix.columns)
        let result = Matrix<Double>(zeroRows: t, columns: width)
        try executor.forEach(t) { test in
            for output in 0..<k {
                let weight = derivatives[test, output]
                let values = unsafe matrix.base + (test * k + output) * width
                for column in 0..<width { unsafe result.base[test * width + column] += weight * values[column] }
            }
        }
        return result
    }

    /// The numbers of each row with the largest magnitude: their places in descending order, of equal ones the first, and they themselves.
    package static func largest(_ matrix: Matrix<Double>, top: Int) -> (points: [[Int]], values: Matrix<Double>) {
        let kept = min(top, matrix.columns)
        let points = (0..<matrix.rows).map { row in
            let values = matrix.row(row)
            return Array(values.indices.sorted { (abs(values[$0]), $1) > (abs(values[$1]), $0) }.prefix(kept))
        }
        let values = points.enumerated().flatMap { row, points in points.map { matrix[row, $0] } }
        return (points, Matrix(rows: matrix.rows, columns: kept, values))
    }
}
