internal import Glibc
package import LinearAlgebra
package import NTK

/// The spectrum of a fully-connected kernel on data of a covariance, and a target in it, by the Hermite eigenstructure ansatz.
package struct HermiteLearning: Sendable {
    package let modes: [HermiteModes.Mode]
    /// v of each mode and output, [outputs][modes].
    package let coefficients: [[Double]]
    package let spectrum: ModeSpectrum
    /// (Σ γ)²/Σ γ²: the ansatz is within some 15 % from about 150 on.
    package let effectiveDimension: Double

    /// From the covariance's eigenvalues γ in descending order, and coefficients by multisets of principal components.
    /// - Parameter unlearnable: the target's power in no mode that is named, and its noise.
    package init(
        _ kernel: AnalyticKernel, kind: KernelKind, variances: [Double], targets: [(components: [Int], coefficient: Double)], modes count: Int,
        unlearnable: Double = 0
    ) throws {
        let (modes, tail) = try Self.modes(kernel, kind, variances, count)
        let places = Dictionary(modes.enumerated().map { ($1.components, $0) }, uniquingKeysWith: { first, _ in first })
        var values = [Double](repeating: 0, count: modes.count)
        var rest = unlearnable
        for (components, coefficient) in targets {
            if let place = places[components.sorted()] { values[place] = coefficient } else { rest += coefficient * coefficient }
        }
        self.init(modes, [values], values.map { $0 * $0 }, tail: tail, unlearnable: rest, variances)
    }

    /// From a sample: γ and principal components of its second moments, and coefficients by least squares on its N/4 largest modes, less what
    /// noise adds to their squares.
    /// - Parameters:
    ///   - x: [N, d]; y [N, k].
    package init(
        _ kernel: AnalyticKernel, kind: KernelKind, x: Matrix<Double>, y: Matrix<Double>, modes count: Int, on executor: any TileExecutor
    ) throws {
        let moments = try x.transposed.multiply(x, on: executor)
        let second = moments.combining(moments) { value, _ in value / Double(x.rows) }
        guard second.isFinite else { throw RegressionError.kernelOverflow }
        let eigen = try SymmetricEigen(inPlace: second, on: executor)
        let variances = Array(eigen.values.reversed()).map { max($0, 0) }
        let (modes, tail) = try Self.modes(kernel, kind, variances, count)
        // ⟨u_i, x⟩/√γ_i, [d, N] in ascending order of γ.
        let projected = try eigen.project(x.transposed, on: executor)
        let (n, dimension) = (x.rows, variances.count)
        let least = (variances.first ?? 0) * 1e-12
        let used = Array(modes.prefix(max(n / 4, 1)).filter { $0.components.allSatisfy { variances[$0] > least } })
        let features = Matrix<Double>(zeroRows: n, columns: used.count)
        try executor.forEach(n) { row in
            let z = (0..<dimension).map { component in
                variances[component] > least ? projected[dimension - 1 - component, row] / variances[component].squareRoot() : 0
            }
            for (column, mode) in used.enumerated() { features.storage.set(row * used.count + column, mode.value(z)) }
        }
        let gram = try features.transposed.multiply(features, on: executor)
        for index in 0..<used.count { gram.storage.set(index * used.count + index, gram[index, index] * (1 + 1e-10) + 1e-300) }
        let solution = try Cholesky(inPlace: gram, on: executor).solve(features.transposed.multiply(y, on: executor), on: executor)
        let fitted = try features.multiply(solution, on: executor)
        var residual = 0.0
        for (value, fit) in zip(y.elements, fitted.elements) { residual += (value - fit) * (value - fit) }
        let outputs = Double(y.columns)
        // The variance of what the modes leave, mean over outputs.
        let variance = residual / outputs / Double(max(n - used.count, 1))
        let places = Dictionary(modes.enumerated().map { ($1.components, $0) }, uniquingKeysWith: { first, _ in first })
        var coefficients = [[Double]](repeating: [Double](repeating: 0, count: modes.count), count: y.columns)
        var powers = [Double](repeating: 0, count: modes.count)
        for (row, mode) in used.enumerated() {
            guard let place = places[mode.components] else { continue }
            for output in 0..<y.columns { coefficients[output][place] = solution[row, output] }
            powers[place] = max(solution.row(row).reduce(0) { $0 + $1 * $1 } / outputs - variance / Double(n), 0)
        }
        self.init(modes, coefficients, powers, tail: tail, unlearnable: variance, variances)
    }

    private init(
        _ modes: [HermiteModes.Mode], _ coefficients: [[Double]], _ powers: [Double], tail: Double, unlearnable: Double, _ variances: [Double]
    ) {
        self.modes = modes
        self.coefficients = coefficients
        spectrum = ModeSpectrum(eigenvalues: modes.map(\.eigenvalue), powers: powers, tail: tail, unlearnable: unlearnable)
        let (sum, squares) = variances.reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + $1 * $1) }
        effectiveDimension = squares > 0 ? sum * sum / squares : 0
    }

    private static func modes(
        _ kernel: AnalyticKernel, _ kind: KernelKind, _ variances: [Double], _ count: Int
    ) throws -> (modes: [HermiteModes.Mode], tail: Double) {
        let levels = try KernelLevels(kernel, kind: kind, radius: variances.reduce(0, +))
        let modes = HermiteModes(variances: variances, levels: levels.shares(of: variances), count: count).modes
        return (modes, max(levels.trace - modes.reduce(0) { $0 + $1.eigenvalue }, 0))
    }
}
