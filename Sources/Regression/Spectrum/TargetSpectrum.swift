public import LinearAlgebra

/// Targets in the eigenbasis of a kernel.
public struct TargetSpectrum: Sendable {
    /// u_jᵀ y 2^(−unit) [n, k], in the order of the eigenvalues.
    let scaled: Matrix<Double>
    /// 0 but for extreme targets.
    public let unit: Int
    let eigenvalues: [Double]
    let rank: Int
    /// √(yᵀK⁻¹y) of each output in these units, where it is known otherwise.
    let norms: [Double]?

    /// u_jᵀ y [n, k].
    public var coefficients: Matrix<Double> {
        let unit = unit
        return unit == 0 ? scaled : scaled.combining(scaled) { value, _ in value.scaled(by: unit) }
    }

    /// ‖P₀y‖ / ‖y‖: the part of the targets that no function of the kernel reaches.
    public var unreachable: Double {
        let squares = scaled.rowSquares
        let total = squares.reduce(0, +)
        return total > 0 ? (squares.dropFirst(rank).reduce(0, +) / total).squareRoot() : 0
    }

    /// √(yᵀK⁺y), summed over outputs: the norm of the interpolant in the kernel's Hilbert space.
    public var rkhsNorm: Double { length.value.scaled(by: length.unit) }

    /// √(2 yᵀK⁺y / n): the bound on the test loss of the trained network of Arora et al. 2019 (arXiv 1901.08584, Theorem 5.1), for losses
    /// between 0 and 1 and targets with |y| ≤ 1. Nil if no function of the kernel fits the targets.
    public var generalizationBound: Double? {
        unreachable < 1e-6 ? (length.value * (2 / Double(scaled.rows)).squareRoot()).scaled(by: length.unit) : nil
    }

    /// √ Σ (u_jᵀy)² / λ_j over the modes that are not zero, as a number and a power of two.
    private var length: (value: Double, unit: Int) {
        let parts = norms ?? zip(eigenvalues, roots).prefix(rank).map { $0.1 / $0.0.squareRoot() }
        guard let largest = parts.max(), largest > 0, largest.isFinite else { return (parts.max() ?? 0, unit) }
        return (largest * parts.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot(), unit)
    }

    /// ⟨K, yyᵀ⟩ / (‖K‖ ‖yyᵀ‖) in Frobenius norms (Cristianini et al. 2001), 0 to 1.
    public var alignment: Double? {
        let largest = eigenvalues.first ?? 0
        let norm = eigenvalues.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
        // ‖yyᵀ‖ = ‖yᵀy‖, k × k.
        let k = scaled.columns
        let columns = scaled.transposed
        var squares = 0.0
        for left in 0..<k {
            for right in 0..<k {
                let product = zip(columns.row(left), columns.row(right)).reduce(0) { $0 + $1.0 * $1.1 }
                squares += product * product
            }
        }
        let product = zip(eigenvalues, scaled.rowSquares).reduce(0) { $0 + ($1.0 / largest) * $1.1 }
        let result = product / (norm * squares.squareRoot())
        return result.isFinite ? result : nil
    }

    /// √ Σ over outputs of (u_jᵀy)² of each mode, in units of 2^`unit`.
    public var roots: [Double] { scaled.rowSquares.map { $0.squareRoot() } }
}
