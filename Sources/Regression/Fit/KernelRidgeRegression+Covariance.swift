public import LinearAlgebra

// The Gaussian process's posterior, and what `EnsembleCovariance` makes the ensemble's from. Kernels with the training set are those of the distinct points.
extension KernelRidgeRegression {
    /// The Gaussian process's variance of f at each test point from k(x*, X) [t, m] and k(x*, x*) [t]; never negative. t m² operations.
    /// - Parameter rounding: how far entries of the kernel may be off, relative to √(k(x, x) k(x', x')).
    /// - Throws: `RegressionError.negativeVariance` where one is further below 0 than that explains.
    public func variance(
        _ testTrain: Matrix<Double>, diagonal: [Double], rounding: Double = RegressionOptions.float64Rounding,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> [Double] {
        let scaled = scaled(testTrain)
        let explained = try solver.whiten(scaled, on: executor).rowSquares
        return try floored(zip(diagonal, explained).map { $0 - $1 }, prior: diagonal, scaled, rounding, on: executor)
    }

    /// The Gaussian process's covariance [t, t] of f from k(x*, X) [t, m] and k(x*, x*') [t, t]; symmetric, its diagonal never negative.
    /// Rounding and errors as of `variance`.
    public func covariance(
        _ testTrain: Matrix<Double>, testTest: Matrix<Double>, rounding: Double = RegressionOptions.float64Rounding,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Matrix<Double> {
        let scaled = scaled(testTrain)
        let explained = try solver.whiten(scaled, on: executor)
        let covariance = try testTest.addingGram(of: explained, scale: -1, on: executor)
        // To the bits of `variance`: those of a product depend on how many points there are.
        let variances = zip(testTest.diagonal, explained.rowSquares).map { $0 - $1 }
        covariance.storeDiagonal(try floored(variances, prior: testTest.diagonal, scaled, rounding, on: executor))
        return covariance
    }

    /// V = k(x*, X)(K + λI)⁻¹ [t, m], which takes y at the distinct points (their mean) to f(x*): 2t m² operations.
    public func map(_ testTrain: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> Matrix<Double> {
        let map = try solver.solveRows(scaled(testTrain), on: executor)
        if groups.mergedCount > 0 { map.scaleColumns(groups.roots) }
        return map
    }

    /// Negative variances as 0 where rounding explains them.
    private func floored(
        _ variances: [Double], prior: [Double], _ scaled: Matrix<Double>, _ rounding: Double, on executor: any TileExecutor
    ) throws -> [Double] {
        let doubtful = variances.indices.filter { variances[$0] < -VarianceFloor.harmless * prior[$0] }
        if !doubtful.isEmpty {
            let maps = try solver.solveRows(scaled.rows(doubtful), on: executor)
            for (row, test) in doubtful.enumerated() {
                try VarianceFloor.check(
                    variances[test], test: test, prior: prior[test], map: maps.row(row), roots: roots, rounding: rounding)
            }
        }
        return variances.map { max($0, 0) }
    }
}

/// How far below 0 a variance may come out.
///
/// A variance is (1, −v) C (1, −v)ᵀ with the joint covariance C of a test point and the training points, and v = k(x*, X)(K + λI)⁻¹. Errors of
/// δ√(C_ii C_jj) in C change it by at most δ (√k(x*, x*) + Σ |v_i| √K_ii)².
enum VarianceFloor {
    /// Relative to the prior variance, what is not looked at.
    static let harmless = 64 * Double.ulpOfOne

    static func check(_ variance: Double, test: Int, prior: Double, map: [Double], roots: [Double], rounding: Double) throws(RegressionError) {
        guard variance < -harmless * prior else { return }
        let size = zip(map, roots).reduce(prior.squareRoot()) { $0 + abs($1.0) * $1.1 }
        let relative = rounding + 16 * Double(map.count) * .ulpOfOne
        // Written so that nothing overflows.
        guard (-variance).squareRoot() <= size * relative.squareRoot() else { throw .negativeVariance(test: test, value: variance, prior: prior) }
    }
}
