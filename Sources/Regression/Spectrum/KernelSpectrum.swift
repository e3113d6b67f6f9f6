internal import Glibc
public import LinearAlgebra

/// What the eigenvalues and eigenvectors of a Gram matrix K = U Λ Uᵀ say of learning with it.
public struct KernelSpectrum: Sendable {
    /// λ in descending order.
    public let eigenvalues: [Double]
    /// Modes that are not zero to working precision, after scaling to unit diagonal.
    public let rank: Int
    /// λ_max / λ_min of those.
    public let conditionNumber: Double?
    /// Σ λ.
    public let trace: Double
    /// (Σ λ)² / Σ λ²: how many modes carry the kernel.
    public let participationRatio: Double?
    private let eigen: SymmetricEigen
    /// Of K 4^(−unit), where it is graded.
    private let factor: PermutedCholesky?
    private let unit: Int

    public var count: Int { eigenvalues.count }

    /// - Parameters:
    ///   - kernel: K [n, n], symmetric. It is destroyed.
    ///   - rounding: how far entries of the kernel may be off, relative to √(K_ii K_jj).
    /// - Throws: `RegressionError`; what the executor throws.
    public init(
        inPlace kernel: Matrix<Double>, rounding: Double = RegressionOptions.float64Rounding, on executor: any TileExecutor = ConcurrentTiles()
    ) throws {
        let uniform = UnitScaling.tame(kernel.diagonal)
        let unit = uniform.exponents.first ?? 0
        self.unit = unit
        guard try uniform.apply(to: kernel, on: executor).isFinite else { throw RegressionError.kernelOverflow }
        let definite = try KernelJudge.eigen(inPlace: kernel, noise: Double(kernel.rows) * rounding, on: executor)
        let scaled = Array(definite.eigen.values.reversed())
        (eigen, factor) = (definite.eigen, definite.factor)
        rank = definite.rank
        eigenvalues = scaled.map { $0.scaled(by: 2 * unit) }
        guard eigenvalues.allSatisfy(\.isFinite) else { throw RegressionError.kernelOverflow }
        let used = scaled.prefix(definite.rank)
        let condition = used.last.map { (scaled.first ?? 0) / $0 }
        conditionNumber = condition.flatMap { $0.isFinite ? $0 : nil }
        trace = scaled.reduce(0, +).scaled(by: 2 * unit)
        let largest = scaled.first ?? 0
        // Relative to the largest, so that squares stay in range.
        let (sum, squares) = used.reduce((0.0, 0.0)) { ($0.0 + $1 / largest, $0.1 + ($1 / largest) * ($1 / largest)) }
        participationRatio = used.isEmpty ? nil : sum * sum / squares
    }

    /// tr K (K + λI)⁻¹; for λ = 0 the rank.
    public func effectiveDimension(ridge: Double) -> Double {
        eigenvalues.prefix(rank).reduce(0) { $0 + ($1 > 0 ? 1 / (1 + ridge / $1) : 0) }
    }

    /// The half-life of each mode's error under gradient flow, ln 2 · n k / (η λ); nil for modes that are not learned, and where it is beyond
    /// the range of float64.
    public func halfLives(outputs: Int, learningRate: Double) -> [Double?] {
        eigenvalues.enumerated().map { index, value in
            guard index < rank else { return nil }
            let halfLife = log(2) * Double(count * outputs) / learningRate / value
            return halfLife.isFinite ? halfLife : nil
        }
    }

    /// What the spectrum says of these targets [n, k].
    public func targets(_ targets: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> TargetSpectrum {
        let largest = targets.largestMagnitude
        let unit = largest > 0 && !(0x1p-250...0x1p250).contains(largest) ? Int(largest.exponent) : 0
        let scaled = unit == 0 ? targets : targets.combining(targets) { value, _ in value.scaled(by: -unit) }
        let ascending = try eigen.project(scaled, on: executor)
        // Where modes are graded as targets may be, the factor tells the norm, to which each mode's digits would have to add up.
        let whitened = try factor?.whiten(scaled.transposed, on: executor)
        return TargetSpectrum(
            scaled: ascending.rows(Array((0..<count).reversed())), unit: unit, eigenvalues: eigenvalues, rank: rank,
            norms: whitened.map { rows in (0..<rows.rows).map { ColumnUnits.length(of: rows.row($0)).scaled(by: -self.unit) } })
    }
}
