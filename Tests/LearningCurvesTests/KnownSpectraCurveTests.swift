import Foundation
import LearningCurves
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Predicted errors against regressions that are computed, where the spectrum is known in closed form: within three standard errors.
struct KnownSpectraCurveTests {
    /// The theory is that of many modes that look independent. With less ridge it is too low in few dimensions: by a factor of two on the
    /// circle with a ridge of 0.01.
    static let ridge = 1.0
    static let architecture: Layer = {
        let affine = Affine(weightStd: 2.0.squareRoot(), biasStd: 0.1.squareRoot())
        return .mlp(depth: 1, activation: .relu, hidden: affine, readout: affine)
    }()

    /// Mean squared error on 400 new points over `draws` training sets, and its standard error.
    private func measured(
        n: Int, draws: Int, features: Int, _ draw: (Int, inout SeededGenerator) -> Matrix<Double>, target: (Matrix<Double>, Int) -> Double
    ) throws -> (mean: Double, error: Double) {
        let kernel = try AnalyticKernel(Self.architecture, features: features)
        var generator = SeededGenerator(seed: UInt64(n))
        var errors: [Double] = []
        for _ in 0..<draws {
            let (train, test) = (draw(n, &generator), draw(400, &generator))
            let gram = try #require(kernel.matrices(train, kinds: [.ntk], as: Double.self).ntk).copy()
            for i in 0..<n { gram.storage.set(i * n + i, gram[i, i] + Self.ridge) }
            let y = Matrix(rows: n, columns: 1, (0..<n).map { target(train, $0) })
            let solution = try Cholesky(inPlace: gram, on: ConcurrentTiles()).solve(y, on: ConcurrentTiles())
            let cross = try #require(kernel.matrices(test, train, kinds: [.ntk], as: Double.self).ntk)
            let outputs = try cross.multiply(solution, on: ConcurrentTiles())
            errors.append((0..<400).reduce(0) { $0 + (outputs[$1, 0] - target(test, $1)) * (outputs[$1, 0] - target(test, $1)) } / 400)
        }
        let mean = errors.reduce(0, +) / Double(draws)
        let variance = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws - 1)
        return (mean, (variance / Double(draws)).squareRoot())
    }

    private func compare(_ spectrum: ModeSpectrum, n: Int, _ measured: (mean: Double, error: Double), _ what: String) throws {
        let predicted = try #require(ExpectedError(spectrum, samples: Double(n), ridge: Self.ridge).testError)
        // The theory is that of many modes; at few samples it is off by some hundredths.
        #expect(abs(predicted - measured.mean) <= 3 * measured.error + 0.03 * predicted, "\(what), n = \(n): \(measured), predicted \(predicted)")
    }

    /// Fourier modes of the circle, by the kernel on 4,096 equispaced points.
    @Test(arguments: [(64, 30), (256, 10)])
    func circle(n: Int, draws: Int) throws {
        let count = 4096
        let root = 2.0.squareRoot()
        func point(_ angle: Double) -> [Double] { [root * cos(angle), root * sin(angle)] }
        let grid = Matrix<Double>((0..<count).map { point(2 * .pi * Double($0) / Double(count)) })
        let kernel = try AnalyticKernel(Self.architecture, features: 2)
        let row = try #require(kernel.matrices(grid.rows([0]), grid, kinds: [.ntk], as: Double.self).ntk).elements
        let modes = 400
        var eigenvalues = (0..<modes).map { k in
            row.enumerated().reduce(0) { $0 + $1.element * cos(2 * .pi * Double(($1.offset * k) % count) / Double(count)) } / Double(count)
        }
        eigenvalues = eigenvalues.map { max($0, 1e-15) }
        let multiplicities = (0..<modes).map { $0 == 0 ? 1.0 : 2 }
        var powers = [Double](repeating: 0, count: modes)
        (powers[1], powers[3], powers[5]) = (0.5, 0.125, 0.08)
        let tail = max(row[0] - zip(eigenvalues, multiplicities).reduce(0) { $0 + $1.0 * $1.1 }, 0)
        let spectrum = ModeSpectrum(eigenvalues: eigenvalues, multiplicities: multiplicities, powers: powers, tail: tail)
        let result = try measured(n: n, draws: draws, features: 2) { size, generator in
            Matrix<Double>((0..<size).map { _ in point(Double.random(in: 0..<2 * Double.pi, using: &generator)) })
        } target: { x, i in
            let angle = atan2(x[i, 1], x[i, 0])
            return cos(angle) + 0.5 * cos(3 * angle) + 0.4 * sin(5 * angle)
        }
        try compare(spectrum, n: n, result, "circle")
    }

    /// Walsh functions of {±1}^10: λ_k = 2^−d Σ_x C(d, x) κ(x) Kr_k(x)/C(d, k) over the distances x.
    @Test(arguments: [(16, 60), (64, 30), (256, 10)])
    func hypercube(n: Int, draws: Int) throws {
        let d = 10
        let corners = Matrix<Double>((0...d).map { distance in (0..<d).map { $0 < distance ? -1.0 : 1 } })
        let kernel = try AnalyticKernel(Self.architecture, features: d)
        let row = try #require(kernel.matrices(corners.rows([0]), corners, kinds: [.ntk], as: Double.self).ntk).elements
        func choose(_ n: Int, _ k: Int) -> Double { k < 0 || k > n ? 0 : (0..<k).reduce(1) { $0 * Double(n - $1) / Double($1 + 1) } }
        func krawtchouk(_ k: Int, _ x: Int) -> Double {
            (0...k).reduce(0) { $0 + ($1 % 2 == 0 ? 1 : -1) * choose(x, $1) * choose(d - x, k - $1) }
        }
        let eigenvalues = (0...d).map { k in
            max((0...d).reduce(0) { $0 + choose(d, $1) * row[$1] * krawtchouk(k, $1) } / choose(d, k) / Double(1 << d), 1e-15)
        }
        var powers = [Double](repeating: 0, count: d + 1)
        (powers[1], powers[2], powers[3]) = (1, 0.25, 0.1)
        let spectrum = ModeSpectrum(eigenvalues: eigenvalues, multiplicities: (0...d).map { choose(d, $0) }, powers: powers)
        let result = try measured(n: n, draws: draws, features: d) { size, generator in
            Matrix<Double>((0..<size).map { _ in (0..<d).map { _ in Bool.random(using: &generator) ? 1 : -1 } })
        } target: { x, i in
            x[i, 0] + 0.5 * x[i, 1] * x[i, 2] + 0.1.squareRoot() * x[i, 3] * x[i, 4] * x[i, 5]
        }
        try compare(spectrum, n: n, result, "hypercube")
    }
}
