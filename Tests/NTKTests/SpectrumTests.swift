import Foundation
import LinearAlgebra
import NTK
import TestSupport
import Testing

struct SpectrumTests {
    /// Equispaced points on the circle: the Gram matrix is circulant, its eigenvalues the Fourier transform of a row.
    @Test func circle() throws {
        let n = 48
        let angles = (0..<n).map { 2 * .pi * Double($0) / Double(n) }
        let x = Matrix(angles.map { [cos($0), sin($0)] })
        let kernel = try #require(
            AnalyticKernel(.mlp(depth: 1, weightStd: 2.0.squareRoot()), features: 2).matrices(x, kinds: [.ntk], as: Double.self).ntk)
        let row = kernel.row(0)
        let expected = (0..<n).map { mode in zip(row, angles).reduce(0) { $0 + $1.0 * cos(Double(mode) * $1.1) } }.sorted(by: >)
        let spectrum = try KernelSpectrum(inPlace: kernel)
        for (own, expected) in zip(spectrum.eigenvalues, expected) { #expect(abs(own - expected) < 2e-13 * spectrum.eigenvalues[0]) }
    }

    /// E₀ and κ by their equations, and the learned whole where there are as many samples as modes.
    @Test(arguments: [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (1e-6, 1.0)])
    func eigenlearning(ridge: Double, noise: Double) throws {
        let values = (1...40).map { 1 / Double($0 * $0) }
        let powers = (1...40).map { 1 / Double($0) }
        for samples in [1.0, 7, 25] {
            let theory = try Eigenlearning(
                eigenvalues: values, coefficients: powers.map { $0.squareRoot() }, samples: samples, ridge: ridge, noise: noise)
            let kappa = theory.constant
            #expect(abs(values.reduce(ridge / kappa) { $0 + $1 / ($1 + kappa) } - samples) < 1e-10 * samples)
            let learned = theory.learnability.reduce(0) { $0 + $1 * $1 }
            let bias = zip(theory.learnability, powers).reduce(0) { $0 + (1 - $1.0) * (1 - $1.0) * $1.1 }
            #expect(abs((theory.testError ?? 0) - samples / (samples - learned) * (bias + noise)) < 1e-10)
            #expect(theory.learnability.allSatisfy { $0 > 0 && $0 < 1 })
        }
        let all = try Eigenlearning(eigenvalues: values, coefficients: powers.map { $0.squareRoot() }, samples: 40, ridge: 0, noise: 0)
        #expect(all.constant == 0 && all.testError == 0)
    }

    /// The prediction for kernel regression on points of the hypercube drawn without replacement, against regressions.
    @Test func predictedTestErrorIsThatOfRegressions() throws {
        let d = 7
        let n = 1 << d
        let x = Matrix((0..<n).map { point in (0..<d).map { point >> $0 & 1 == 0 ? -1.0 : 1 } })
        let y = Matrix((0..<n).map { point in [x[point, 0] * x[point, 1] + x[point, 2]] })
        let kernel = try #require(
            AnalyticKernel(.mlp(depth: 2, weightStd: 1.4, biasStd: 0.3), features: d).matrices(x, kinds: [.ntk], as: Double.self).ntk)
        let (samples, ridge) = (48, 0.05)
        let spectrum = try KernelSpectrum(inPlace: kernel.copy())
        let coefficients = try spectrum.targets(y).roots.map { $0 / Double(n).squareRoot() }
        let theory = try Eigenlearning(
            eigenvalues: spectrum.eigenvalues.map { $0 / Double(n) }, coefficients: coefficients, samples: Double(samples), ridge: ridge, noise: 0)
        var generator = SeededGenerator(seed: 5)
        let trials = 60
        var sum = 0.0
        for _ in 0..<trials {
            let points = Array((0..<n).shuffled(using: &generator).prefix(samples))
            let fit = try KernelRidgeRegression(
                inPlace: kernel.rows(points).columns(points), targets: y.rows(points), options: RegressionOptions(ridge: .fixed(ridge)))
            let error = try fit.mean(kernel.columns(points)).subtracting(y)
            sum += error.elements.reduce(0) { $0 + $1 * $1 } / Double(n)
        }
        let predicted = try #require(theory.testError)
        #expect(abs(sum / Double(trials) / predicted - 1) < 0.05, "\(sum / Double(trials)) for \(predicted)")
    }
}
