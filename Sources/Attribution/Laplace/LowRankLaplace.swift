internal import Glibc
package import LinearAlgebra

/// `LaplacePosterior` for more outputs of training points than their square has room for, with its error.
///
/// The gradients of some points span a space of directions of weights, to which the Jacobian is projected: Θ ≈ ΦΦᵀ, from a Cholesky
/// factorization with points as pivots, those first whose block of H = RᵀΘR has the largest trace left (Fine & Scheinberg 2001; Harbrecht, Peters,
/// Schneider 2012). With F = RᵀΦ [nk, r] and G = FᵀF
///
///     Σ_* = (Θ_** − Φ_*Φ_*ᵀ)/δ + Φ_*(G + δI)⁻¹Φ_*ᵀ,     log|I + H/δ| − log|I + G/δ| ∈ [0, τ/δ],   τ = tr H − tr G
///
/// the exact posterior of a network that is linear in these directions; in all others the weights keep their prior.
package struct LowRankLaplace: Sendable {
    /// A block of pivots: its points, the rows of Φ at them before the block, and what makes the block's columns of Φ from residuals.
    private struct Block: Sendable {
        let points: [Int]
        /// Φ [b · k, r] of the blocks before.
        let rows: Matrix<Double>
        /// [b · k, columns].
        let transform: Matrix<Double>
    }

    package let outputs: Int
    package let rank: Int
    package let priorPrecision: Double
    /// An upper bound; the exact one is lower by at most `logMarginalLikelihoodError`.
    package let logMarginalLikelihood: Double
    /// τ/(2δ).
    package let logMarginalLikelihoodError: Double
    package let effectiveParameters: Double
    /// τ/tr H.
    package let traceGap: Double
    private let blocks: [Block]
    /// Of G + δI.
    private let factor: Cholesky<Double>

    /// Columns of a block.
    private static let blockColumns = 256
    /// Eigenvalues of a block's residual below this, relative to the largest element of the kernel's diagonal, are rounding.
    private static let rounding = 1e-11
    /// Relative trace that is not looked for.
    private static let enough = 1e-12

    /// Every point that is a pivot.
    package var pivots: [Int] { blocks.flatMap(\.points) }

    /// - Parameters:
    ///   - diagonal: Θ of each training point with itself [n, k · k].
    ///   - most: of the rank.
    ///   - columns: Θ of all training points with some [n · k, b · k].
    /// - Throws: `LaplaceError`; what the executor or `columns` throws.
    /// - Time: nk r² and the columns. Memory: nk (r + b k).
    package init(
        diagonal: Matrix<Double>, _ curvature: OutputCurvature, logLikelihood: Double, squaredNorm: Double, precision: LaplacePosterior.Precision,
        most: Int, on executor: any TileExecutor, columns: ([Int]) throws -> Matrix<Double>
    ) throws {
        let k = curvature.outputs
        let (n, order) = (curvature.order / k, curvature.order)
        precondition(diagonal.rows == n && diagonal.columns == k * k && most > 0)
        outputs = k
        let rest = diagonal.copy()
        let largest = (0..<n).reduce(0) { largest, point in (0..<k).reduce(largest) { max($0, diagonal[point, $1 * (k + 1)]) } }
        let phi = Matrix<Double>(zeroRows: order, columns: min(most, order))
        var (rank, blocks) = (0, [Block]())
        let whole = Self.traces(rest, curvature).reduce(0, +)
        guard whole.isFinite, largest.isFinite else { throw LaplaceError.overflow }
        var isPivot = [Bool](repeating: false, count: n)
        while rank < phi.columns {
            let traces = Self.traces(rest, curvature)
            guard traces.reduce(0, +) > Self.enough * whole else { break }
            let room = max(1, min(Self.blockColumns, phi.columns - rank) / k)
            let points = Array(
                (0..<n).filter { !isPivot[$0] && traces[$0] > 0 }.sorted { (traces[$0], $1) > (traces[$1], $0) }.prefix(room))
            guard !points.isEmpty else { break }
            for point in points { isPivot[point] = true }
            let own = points.flatMap { ($0 * k)..<(($0 + 1) * k) }
            let known = phi.columns(Array(0..<rank))
            let rows = known.rows(own)
            let residual = try columns(points)
            let explained = try known.multiplyTransposed(rows, on: executor)
            residual.add(explained, scaled: [Double](repeating: -1, count: own.count))
            let square = residual.rows(own)
            Self.symmetrize(square)
            let eigen = try SymmetricEigen(inPlace: square, on: executor)
            let used = eigen.values.indices.filter { eigen.values[$0] > Self.rounding * largest }.suffix(phi.columns - rank)
            guard !used.isEmpty else { continue }
            let transform = eigen.vectors.rows(Array(used)).transposed
            transform.scaleColumns(used.map { 1 / eigen.values[$0].squareRoot() })
            let added = try residual.multiply(transform, on: executor)
            for row in 0..<order { for column in 0..<used.count { phi.storage.set(row * phi.columns + rank + column, added[row, column]) } }
            Self.subtract(added, from: rest)
            blocks.append(Block(points: points, rows: rows, transform: transform))
            rank += used.count
        }
        self.rank = rank
        self.blocks = blocks
        let left = max(Self.traces(rest, curvature).reduce(0, +), 0)
        traceGap = whole > 0 ? left / whole : 0
        let reduced = phi.columns(Array(0..<rank))
        try curvature.multiplyRows(reduced, on: executor)
        let gram = try reduced.transposedMultiply(reduced, on: executor)
        Self.symmetrize(gram)
        guard gram.isFinite, logLikelihood.isFinite, squaredNorm.isFinite else { throw LaplaceError.overflow }
        let values = rank == 0 ? [] : try Tridiagonal(inPlace: gram.copy()).eigenvalues().map { max($0, 0) }
        let delta =
            switch precision {
            case .given(let value): value
            case .marginalLikelihood: try LaplacePosterior.best(values, squaredNorm: squaredNorm)
            }
        priorPrecision = delta
        effectiveParameters = values.reduce(0) { $0 + $1 / ($1 + delta) }
        logMarginalLikelihood = logLikelihood - (delta * squaredNorm + values.reduce(0) { $0 + log1p($1 / delta) }) / 2
        logMarginalLikelihoodError = left / (2 * delta)
        guard logMarginalLikelihood.isFinite, logMarginalLikelihoodError.isFinite else { throw LaplaceError.overflow }
        gram.addToDiagonal(delta)
        do { factor = try Cholesky(inPlace: gram, on: executor) } catch is NotPositiveDefinite {
            throw LaplaceError.singular(priorPrecision: delta)
        }
    }

    /// tr ΛᵢDᵢ of each point's block.
    private static func traces(_ blocks: Matrix<Double>, _ curvature: OutputCurvature) -> [Double] {
        let k = curvature.outputs
        return (0..<blocks.rows).map { point in
            switch curvature {
            case .gaussian(_, _, let noise): return (0..<k).reduce(0) { $0 + blocks[point, $1 * (k + 1)] } / noise
            case .softmax(let p):
                var sum = 0.0
                for a in 0..<k {
                    sum += p[point, a] * blocks[point, a * (k + 1)]
                    for b in 0..<k { sum -= p[point, a] * blocks[point, a * k + b] * p[point, b] }
                }
                return sum
            }
        }
    }

    /// Takes ΦᵢΦᵢᵀ from each point's block.
    private static func subtract(_ phi: Matrix<Double>, from blocks: Matrix<Double>) {
        let (k, width) = (phi.rows / blocks.rows, phi.columns)
        for point in 0..<blocks.rows {
            for a in 0..<k {
                for b in 0..<k {
                    let (left, right) = unsafe (phi.base + (point * k + a) * width, phi.base + (point * k + b) * width)
                    var sum = 0.0
                    for column in 0..<width { unsafe sum += left[column] * right[column] }
                    unsafe blocks.base[point * k * k + a * k + b] -= sum
                }
            }
        }
    }

    private static func symmetrize(_ matrix: Matrix<Double>) {
        let n = matrix.rows
        for row in 0..<n {
            for column in 0..<row {
                let mean = unsafe (matrix.base[row * n + column] + matrix.base[column * n + row]) / 2
                matrix.storage.set(row * n + column, mean)
                matrix.storage.set(column * n + row, mean)
            }
        }
    }

    /// Covariances of outputs at test points [t, k · k].
    /// - Parameters:
    ///   - blocks: Θ_** of each test point with itself [t, k · k].
    ///   - columns: Θ of the test points with some training points [t · k, b · k].
    /// - Time: t k r² and the columns.
    package func covariances(
        blocks prior: Matrix<Double>, on executor: any TileExecutor, columns: ([Int]) throws -> Matrix<Double>
    ) throws -> Matrix<Double> {
        let (t, k, delta) = (prior.rows, outputs, priorPrecision)
        let phi = Matrix<Double>(zeroRows: t * k, columns: rank)
        var known = 0
        for block in blocks {
            let residual = try columns(block.points)
            let explained = try phi.columns(Array(0..<known)).multiplyTransposed(block.rows, on: executor)
            residual.add(explained, scaled: [Double](repeating: -1, count: residual.columns))
            let added = try residual.multiply(block.transform, on: executor)
            for row in 0..<t * k { for column in 0..<added.columns { phi.storage.set(row * rank + known + column, added[row, column]) } }
            known += block.transform.columns
        }
        let root = try factor.whiten(phi, on: executor)
        let result = Matrix<Double>(uninitializedRows: t, columns: k * k)
        try executor.forEach(t) { test in
            let rows = test * k..<(test + 1) * k
            let own = prior.slice(test..<test + 1).reshaped(rows: k, columns: k)
            let left = try own.addingGram(of: phi.slice(rows), scale: -1, on: SerialTiles())
            for index in 0..<k where left[index, index] < 0 { left.storage.set(index * (k + 1), 0) }
            left.scaleRows([Double](repeating: 1 / delta, count: k))
            let whole = try left.addingGram(of: root.slice(rows), scale: 1, on: SerialTiles())
            for index in 0..<k * k { result.storage.set(test * k * k + index, unsafe whole.base[index]) }
        }
        guard result.isFinite else { throw LaplaceError.overflow }
        return result
    }
}
