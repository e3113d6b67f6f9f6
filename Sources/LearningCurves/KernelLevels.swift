internal import Glibc
internal import LinearAlgebra
package import NTK

/// Derivatives at t = 0 of F(t) = K(x, x') with t = ⟨x, x'⟩ on the sphere |x|² = ρ, of the kernel of an architecture on vectors, which knows no
/// other function of the angle.
package struct KernelLevels: Sendable {
    /// F⁽ˡ⁾(0), ℓ = 0, 1, …
    package let derivatives: [Double]
    /// F(ρ).
    package let trace: Double

    /// Chebyshev's polynomials to this degree on |t| ≤ ρ/2, where the kernels of kinked functions, which are singular at ±ρ, fall as 3.7^−degree.
    private static let degree = 24

    /// - Parameter radius: ρ > 0; features of the kernel are 2 or more.
    package init(_ kernel: AnalyticKernel, kind: KernelKind, radius: Double, levels: Int = 10) throws {
        let count = Self.degree + 1
        let angles = (0..<count).map { Double.pi * (Double($0) + 0.5) / Double(count) }
        let points = Matrix<Double>(zeroRows: count + 1, columns: kernel.features)
        let root = radius.squareRoot()
        points.storage.set(0, root)
        for (row, angle) in angles.enumerated() {
            let cosine = cos(angle) / 2
            points.storage.set((row + 1) * kernel.features, root * cosine)
            points.storage.set((row + 1) * kernel.features + 1, root * (1 - cosine * cosine).squareRoot())
        }
        let first = points.slice(0..<1)
        let kernels = try kernel.matrices(points, first, kinds: [kind], as: Double.self, on: SerialTiles())
        guard let values = (kind == .ntk ? kernels.ntk : kernels.nngp)?.elements else { preconditionFailure("the kernel that was asked for") }
        trace = values[0]
        // Coefficients in Chebyshev's polynomials of 2t/ρ, then in powers.
        var coefficients = [Double](repeating: 0, count: count)
        for k in 0..<count {
            let sum = zip(angles, values.dropFirst()).reduce(0) { $0 + cos(Double(k) * $1.0) * $1.1 }
            coefficients[k] = sum * (k == 0 ? 1 : 2) / Double(count)
        }
        var powers = [Double](repeating: 0, count: count)
        var (before, polynomial) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        polynomial[0] = 1
        for k in 0..<count {
            for index in 0..<count { powers[index] += coefficients[k] * polynomial[index] }
            var next = before.map { -$0 }
            for index in 0..<count - 1 { next[index + 1] += (k == 0 ? 1 : 2) * polynomial[index] }
            if k == 0 { next = [0, 1] + [Double](repeating: 0, count: count - 2) }
            (before, polynomial) = (polynomial, next)
        }
        var (factor, derivatives) = (1.0, [Double]())
        let noise = 1e-13 * powers.reduce(0) { max($0, abs($1)) }
        for level in 0...min(levels, 14) {
            // Rounding in the values grows with the level as the polynomials' coefficients do.
            derivatives.append(abs(powers[level]) > noise * exp2(Double(level)) ? powers[level] * factor : 0)
            factor *= Double(level + 1) * 2 / radius
        }
        self.derivatives = derivatives
    }
}

extension KernelLevels {
    /// The derivatives, each times the factor with which the modes of its level sum to the level's part F⁽ˡ⁾ ρˡ/ℓ! of the trace.
    ///
    /// Of all multisets the products Π γ sum to the complete homogeneous polynomial h_ℓ(γ) (by Newton's identities ℓ h_ℓ = Σ_k p_k h_ℓ−k with the
    /// power sums p), which is above ρˡ/ℓ! where few components carry the data: without the factor, high levels that hardly exist would have
    /// the largest eigenvalues there.
    package func shares(of variances: [Double]) -> [Double] {
        var powers = variances.map { _ in 1.0 }
        var sums = [0.0]
        var complete = [1.0]
        var plain = 1.0
        return derivatives.enumerated().map { level, derivative in
            guard level > 0 else { return derivative }
            for index in powers.indices { powers[index] *= variances[index] }
            sums.append(powers.reduce(0, +))
            complete.append((1...level).reduce(0) { $0 + sums[$1] * complete[level - $1] } / Double(level))
            plain *= sums[1] / Double(level)
            return complete[level] > 0 ? derivative * (plain / complete[level]) : 0
        }
    }
}
