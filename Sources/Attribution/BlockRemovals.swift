internal import Glibc
internal import LinearAlgebra
internal import NTK

/// Leave-one-out where a point has several rows of the kernel, which are removed together: for every point one system as large as its outputs.
///
/// With M = (K + λW⁻¹)⁻¹ of the distinct rows, C the rows of a point and w its multiplicity, the block of G is M_CC/w² + (1 − 1/w)/λ I.
struct BlockRemovals {
    /// [n · k, 1].
    let steps, residuals: Matrix<Double>
    /// [n].
    private(set) var leverages: [Double] = []
    private(set) var logPredictive: [Double?] = []

    /// Rows of the root of M at a time.
    private static let panel = 512

    init(_ regression: KernelRidgeRegression, deviations: Matrix<Double>, size k: Int, on executor: any TileExecutor) throws {
        let groups = regression.groups
        let (n, m) = (groups.pointCount / k, groups.groupCount)
        let ridge = regression.diagnostics.ridge + regression.diagnostics.jitter
        let coefficients = regression.coefficients
        var blocks: [Matrix<Double>] = []
        let height = max(Self.panel / k, 1) * k
        for start in stride(from: 0, to: m, by: height) {
            let root = try regression.inverseRoot(of: Array(start..<min(start + height, m)), on: executor)
            for first in stride(from: 0, to: root.rows, by: k) {
                let own = root.slice(first..<first + k)
                blocks.append(try own.multiplyTransposed(own, on: SerialTiles()))
            }
        }
        steps = Matrix(zeroRows: n * k, columns: 1)
        residuals = Matrix(zeroRows: n * k, columns: 1)
        for point in 0..<n {
            // Rows of one point are distinct rows that follow one another.
            let first = groups.group[point * k]
            let (w, block) = (groups.multiplicities[first], blocks[first / k])
            let alpha = (0..<k).map { coefficients[first + $0, 0] }
            let own = (0..<k).map { deviations[point * k + $0, 0] }
            // G = (M + w (w − 1)/λ I)/w², αᵢ = α/w + d/λ; r = G⁻¹ αᵢ, all times λ where there are equal points.
            let isMerged = w > 1
            let scale = isMerged ? ridge : 1
            let system = Matrix<Double>(uninitializedRows: k, columns: k)
            for row in 0..<k {
                for column in 0..<k {
                    system.storage.set(row * k + column, scale * block[row, column] / (w * w) + (row == column && isMerged ? 1 - 1 / w : 0))
                }
            }
            let right = Matrix(rows: k, columns: 1, (0..<k).map { isMerged ? ridge * alpha[$0] / w + own[$0] : alpha[$0] })
            let factor: Cholesky<Double>
            do { factor = try Cholesky(inPlace: system, on: SerialTiles()) } catch is NotPositiveDefinite {
                throw RegressionAttribution.singular(regression)
            }
            let solution = try factor.solve(right, on: SerialTiles())
            var fit = 0.0
            for output in 0..<k {
                let residual = solution[output, 0]
                residuals.storage.set(point * k + output, residual)
                steps.storage.set(point * k + output, residual / w)
                fit += residual * right[output, 0] / scale
            }
            leverages.append((0..<k).reduce(0) { $0 + (1 - ridge * block[$1, $1] / w) / w })
            let density = (factor.logDeterminant - Double(k) * log(2 * .pi * scale) - fit) / 2
            logPredictive.append(density.isFinite ? density : nil)
        }
    }
}
