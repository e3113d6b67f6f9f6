internal import Glibc
package import LinearAlgebra

/// The Laplace approximation of a trained network with the full generalized Gauss–Newton matrix, in function space.
///
/// With the Jacobian J of all outputs at all training points, Λ = R Rᵀ (`OutputCurvature`), prior precision δ and the tangent kernel Θ = JJᵀ, the
/// covariance of weights (JᵀΛJ + δI)⁻¹ is never formed: with H = RᵀΘR
///
///     Σ_* = (Θ_** − Θ_*R (H + δI)⁻¹ RᵀΘ_*ᵀ)/δ,     log|JᵀΛJ + δI| − P log δ = log|H + δI| − nk log δ
///
/// by the identities of Woodbury and Sylvester, exactly, whatever the number P of weights (Daxberger et al. 2021, arXiv 2106.14806; Immer et al.
/// 2021, arXiv 2104.04975, for the evidence). What it costs is (n k)³.
package struct LaplacePosterior: Sendable {
    /// How the prior precision is found.
    package enum Precision: Sendable {
        case given(Double)
        /// The one of the largest marginal likelihood.
        case marginalLikelihood
    }

    package let curvature: OutputCurvature
    /// δ.
    package let priorPrecision: Double
    /// log p(D | θ) − δ‖θ‖²/2 − log|H/δ + I|/2.
    package let logMarginalLikelihood: Double
    /// tr H(H + δI)⁻¹: how many directions of weights the data determine.
    package let effectiveParameters: Double
    /// Of H + δI.
    private let factor: Cholesky<Double>

    /// - Parameters:
    ///   - kernel: Θ [n · k, n · k], rows in the order point, output. It is destroyed.
    ///   - logLikelihood: log p(D | θ).
    ///   - squaredNorm: ‖θ‖² of the weights that take part.
    /// - Throws: `LaplaceError`; what the executor throws.
    /// - Time: 2(nk)³/3 for a given precision; (nk)³ more, half of it by one thread, where it is chosen. Memory: nothing beside the kernel, or one
    ///   more matrix where it is chosen.
    package init(
        inPlace kernel: Matrix<Double>, _ curvature: OutputCurvature, logLikelihood: Double, squaredNorm: Double, precision: Precision,
        on executor: any TileExecutor
    ) throws {
        precondition(kernel.rows == kernel.columns && kernel.rows == curvature.order)
        try curvature.multiplyColumns(kernel, on: executor)
        try curvature.multiplyRows(kernel, on: executor)
        guard kernel.isFinite, logLikelihood.isFinite, squaredNorm.isFinite else { throw LaplaceError.overflow }
        self.curvature = curvature
        let n = Double(kernel.rows)
        var chosen: (precision: Double, values: [Double])?
        switch precision {
        case .given(let value): priorPrecision = value
        case .marginalLikelihood:
            let values = try Tridiagonal(inPlace: kernel.copy()).eigenvalues().map { max($0, 0) }
            try executor.forEach(0) { _ in }
            priorPrecision = try Self.best(values, squaredNorm: squaredNorm)
            chosen = (priorPrecision, values)
        }
        let delta = priorPrecision
        kernel.addToDiagonal(delta)
        do { factor = try Cholesky(inPlace: kernel, on: executor) } catch is NotPositiveDefinite {
            throw LaplaceError.singular(priorPrecision: delta)
        }
        if let values = chosen?.values {
            effectiveParameters = values.reduce(0) { $0 + $1 / ($1 + delta) }
            logMarginalLikelihood = logLikelihood - (delta * squaredNorm + values.reduce(0) { $0 + log1p($1 / delta) }) / 2
        } else {
            effectiveParameters = max(n - delta * (try factor.inverseDiagonal(on: executor)).reduce(0, +), 0)
            logMarginalLikelihood = logLikelihood - (delta * squaredNorm + factor.logDeterminant - n * log(delta)) / 2
        }
        guard logMarginalLikelihood.isFinite else { throw LaplaceError.overflow }
    }

    /// The zero of δ‖θ‖² − Σ μ/(μ + δ), half the derivative of minus the log marginal likelihood by log δ (MacKay 1992): it rises with δ, so that
    /// there is one.
    static func best(_ eigenvalues: [Double], squaredNorm: Double) throws(LaplaceError) -> Double {
        guard squaredNorm > 0, let largest = eigenvalues.max(), largest > 0 else { throw .noBestPrecision }
        func slope(_ delta: Double) -> Double { delta * squaredNorm - eigenvalues.reduce(0) { $0 + $1 / ($1 + delta) } }
        // At n/‖θ‖² or above it is not negative, as μ/(μ + δ) < 1.
        var high = Double(eigenvalues.count) / squaredNorm
        var low = high
        while slope(low) > 0 {
            low /= 16
            guard low.isNormal else { throw .noBestPrecision }
        }
        guard high.isFinite else { throw .noBestPrecision }
        for _ in 0..<2_000 {
            let middle = low.squareRoot() * high.squareRoot()
            if middle <= low || middle >= high { break }
            if slope(middle) < 0 { low = middle } else { high = middle }
        }
        return high
    }

    /// Covariances of outputs at test points [t, k · k].
    /// - Parameters:
    ///   - testTrain: Θ_* [t · k, n · k]. It is destroyed.
    ///   - blocks: Θ_** of each test point with itself [t, k · k].
    /// - Time: t k (nk)².
    package func covariances(inPlace testTrain: Matrix<Double>, blocks: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let k = curvature.outputs
        precondition(testTrain.rows == blocks.rows * k && blocks.columns == k * k && testTrain.columns == curvature.order)
        try curvature.multiplyColumns(testTrain, on: executor)
        let explained = try factor.whiten(testTrain, on: executor)
        let result = Matrix<Double>(uninitializedRows: blocks.rows, columns: k * k)
        let delta = priorPrecision
        try executor.forEach(blocks.rows) { test in
            let rows = explained.slice(test * k..<(test + 1) * k)
            let prior = blocks.slice(test..<test + 1).reshaped(rows: k, columns: k)
            let left = try prior.addingGram(of: rows, scale: -1, on: SerialTiles())
            for index in 0..<k * k {
                let value = unsafe left.base[index] / delta
                let isDiagonal = index % (k + 1) == 0
                unsafe result.base[test * k * k + index] = isDiagonal ? max(value, 0) : value
            }
        }
        guard result.isFinite else { throw LaplaceError.overflow }
        return result
    }
}

/// Why there is no Laplace approximation.
package enum LaplaceError: Error, Sendable, Equatable {
    /// A number is beyond the range of float64.
    case overflow
    /// H + δI is not positive definite to working precision.
    case singular(priorPrecision: Double)
    /// No prior precision has the largest marginal likelihood: the weights, or all derivatives, are 0.
    case noBestPrecision
}
