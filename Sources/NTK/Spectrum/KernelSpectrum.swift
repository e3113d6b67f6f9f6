internal import Glibc
public import LinearAlgebra

/// What the eigenvalues and eigenvectors of a Gram matrix K = U Λ Uᵀ say of learning with it.
public struct KernelSpectrum: Sendable {
    /// λ in descending order.
    public let eigenvalues: [Double]
    /// Modes above n ε λ_max.
    public let rank: Int
    /// λ_max / λ_min of those.
    public let conditionNumber: Double?
    /// Σ λ.
    public let trace: Double
    /// (Σ λ)² / Σ λ²: how many modes carry the kernel.
    public let participationRatio: Double?
    private let eigen: SymmetricEigen

    public var count: Int { eigenvalues.count }

    /// - Parameter kernel: K [n, n], symmetric. It is destroyed.
    public init(inPlace kernel: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws {
        guard try kernel.symmetricOneNorm(on: executor).isFinite else { throw RegressionError.kernelOverflow }
        let eigen = try SymmetricEigen(inPlace: kernel, on: executor)
        try RegressionSystem.checkDefinite(eigen)
        let values = Array(eigen.values.reversed())
        let cutoff = SpectralSolver.cutoff(eigen, ridge: 0)
        let used = values.filter { $0 > cutoff }
        self.eigen = eigen
        eigenvalues = values
        rank = used.count
        conditionNumber = used.last.map { (values.first ?? 0) / $0 }
        trace = values.reduce(0, +)
        let largest = values.first ?? 0
        // Relative to the largest, so that squares stay in range.
        let (sum, squares) = used.reduce((0.0, 0.0)) { ($0.0 + $1 / largest, $0.1 + ($1 / largest) * ($1 / largest)) }
        participationRatio = used.isEmpty ? nil : sum * sum / squares
    }

    /// tr K (K + λI)⁻¹; for λ = 0 the rank.
    public func effectiveDimension(ridge: Double) -> Double {
        eigenvalues.prefix(rank).reduce(0) { $0 + $1 / ($1 + ridge) }
    }

    /// The half-life of each mode's error under gradient flow, ln 2 · n k / (η λ); nil for modes that are not learned.
    public func halfLives(outputs: Int, learningRate: Double) -> [Double?] {
        eigenvalues.enumerated().map { index, value in
            guard index < rank else { return nil }
            let halfLife = log(2) * Double(count * outputs) / learningRate / value
            return halfLife.isFinite ? halfLife : nil
        }
    }

    /// What the spectrum says of these targets [n, k].
    public func targets(_ targets: Matrix<Double>, on executor: any TileExecutor = ConcurrentTiles()) throws -> TargetSpectrum {
        let ascending = try eigen.project(targets, on: executor)
        return TargetSpectrum(
            coefficients: ascending.rows(Array((0..<count).reversed())), eigenvalues: eigenvalues, rank: rank,
            unreachable: Self.unreachable(ascending, rank: rank))
    }

    /// ‖P₀y‖ / ‖y‖.
    private static func unreachable(_ ascending: Matrix<Double>, rank: Int) -> Double {
        let squares = ascending.rowSquares
        let total = squares.reduce(0, +)
        return total > 0 ? (squares.prefix(ascending.rows - rank).reduce(0, +) / total).squareRoot() : 0
    }
}

/// Targets in the eigenbasis of a kernel.
public struct TargetSpectrum: Sendable {
    /// u_jᵀ y [n, k], in the order of the eigenvalues.
    public let coefficients: Matrix<Double>
    let eigenvalues: [Double]
    let rank: Int
    /// ‖P₀y‖ / ‖y‖: the part of the targets that no function of the kernel reaches.
    public let unreachable: Double

    /// √(yᵀK⁺y), summed over outputs: the norm of the interpolant in the kernel's Hilbert space.
    public var rkhsNorm: Double { energies.reduce(0, +).squareRoot() }

    /// √(2 yᵀK⁺y / n): the bound on the test loss of the trained network of Arora et al. 2019 (arXiv 1901.08584, Theorem 5.1), for losses
    /// between 0 and 1 and targets with |y| ≤ 1. Nil if no function of the kernel fits the targets.
    public var generalizationBound: Double? {
        unreachable < 1e-6 ? (2 * energies.reduce(0, +) / Double(coefficients.rows)).squareRoot() : nil
    }

    /// ⟨K, yyᵀ⟩ / (‖K‖ ‖yyᵀ‖) in Frobenius norms (Cristianini et al. 2001), 0 to 1.
    public var alignment: Double? {
        let largest = eigenvalues.first ?? 0
        let norm = eigenvalues.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
        // ‖yyᵀ‖ = ‖yᵀy‖, k × k.
        let k = coefficients.columns
        let columns = coefficients.transposed
        var squares = 0.0
        for left in 0..<k {
            for right in 0..<k {
                let product = zip(columns.row(left), columns.row(right)).reduce(0) { $0 + $1.0 * $1.1 }
                squares += product * product
            }
        }
        let product = zip(eigenvalues, coefficients.rowSquares).reduce(0) { $0 + ($1.0 / largest) * $1.1 }
        let result = product / (norm * squares.squareRoot())
        return result.isFinite ? result : nil
    }

    /// (u_jᵀy)² / λ_j of the modes that are not zero.
    private var energies: [Double] { zip(eigenvalues, coefficients.rowSquares).prefix(rank).map { $0.1 / $0.0 } }

    /// Σ over outputs of (u_jᵀy)², and of the squares of the whole.
    public var powers: [Double] { coefficients.rowSquares }
}
