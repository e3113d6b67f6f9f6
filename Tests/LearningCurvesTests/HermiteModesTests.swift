import Foundation
import LearningCurves
import LinearAlgebra
import NTK
import TestSupport
import Testing

struct HermiteModesTests {
    /// All multisets in order, each once, against those of small degrees sorted.
    @Test func modesComeInOrder() {
        let variances = [0.5, 0.3, 0.15, 0.05]
        let levels = [0.7, 1.0, 0.4, 0.9]
        var all: [(components: [Int], eigenvalue: Double)] = [([], 0.7)]
        for i in 0..<4 {
            all.append(([i], variances[i]))
            for j in i..<4 {
                all.append(([i, j], 0.4 * variances[i] * variances[j]))
                for k in j..<4 { all.append(([i, j, k], 0.9 * variances[i] * variances[j] * variances[k])) }
            }
        }
        let modes = HermiteModes(variances: variances, levels: levels, count: 1000).modes
        #expect(modes.count == all.count)
        #expect(Set(modes.map(\.components)).count == all.count)
        for (mode, known) in zip(modes, all.map(\.eigenvalue).sorted(by: >)) { #expect(abs(mode.eigenvalue - known) <= 1e-15) }
        for mode in modes { #expect(all.contains { $0.components == mode.components && abs($0.eigenvalue - mode.eigenvalue) <= 1e-15 }) }
        #expect(HermiteModes(variances: variances, levels: levels, count: 10).modes.map(\.components) == modes.prefix(10).map(\.components))
    }

    /// Of one hidden relu layer at bias 0.09, by the derivatives of Θ(c) in closed form: F = w (√(1−c²) + 2 (π − acos c) c) q/2π, c = (b + w t)/q.
    @Test func levelsOfOneHiddenLayer() throws {
        let (w, b, radius, d) = (1.0, 0.3, 1.0, 5)
        let affine = Affine(weightStd: w.squareRoot(), biasStd: b.squareRoot())
        // Inputs are divided by d before the first layer, so that t and ρ are d times as large.
        let readout = Affine(weightStd: w.squareRoot())
        let kernel = try AnalyticKernel(.serial([.dense(affine), .relu, .dense(readout)]), features: d)
        let levels = try KernelLevels(kernel, kind: .ntk, radius: radius * Double(d))
        let q = b + w * radius
        let c = b / q
        let (angle, sine) = (Double.pi - acos(c), (1 - c * c).squareRoot())
        let value = w * (sine + 2 * angle * c) * q / (2 * .pi)
        // dF/dt = w²/2π (c/√(1−c²) + 2 (π − acos c)).
        let slope = w * w / (2 * .pi) * (c / sine + 2 * angle)
        let second = w * w * w / q / (2 * .pi) * (1 / (sine * sine * sine) + 2 / sine)
        #expect(abs(levels.derivatives[0] - value) <= 1e-12 * value)
        #expect(abs(levels.derivatives[1] * Double(d) - slope) <= 1e-10 * slope)
        #expect(abs(levels.derivatives[2] * Double(d * d) - second) <= 1e-8 * second)
        #expect(abs(levels.trace - w * q) <= 1e-13)
    }

    /// The modes of all levels sum to the kernel's trace, however few components carry the data.
    @Test(arguments: [[3.0, 1, 0.5], [1, 1, 1, 1], [5, 0.1]])
    func levelsSumToTheirPartOfTheTrace(variances: [Double]) throws {
        let affine = Affine(weightStd: 1, biasStd: 0.5)
        let kernel = try AnalyticKernel(.serial([.dense(affine), .relu, .dense(affine)]), features: variances.count)
        let radius = variances.reduce(0, +)
        let levels = try KernelLevels(kernel, kind: .ntk, radius: radius)
        let modes = HermiteModes(variances: variances, levels: levels.shares(of: variances), count: 100_000).modes
        for level in 0...4 {
            let sum = modes.filter { $0.components.count == level }.reduce(0) { $0 + $1.eigenvalue }
            let part = (0..<level).reduce(levels.derivatives[level]) { $0 * radius / Double($1 + 1) }
            #expect(abs(sum - max(part, 0)) <= 1e-12 * levels.trace)
        }
        #expect(modes.reduce(0) { $0 + $1.eigenvalue } <= levels.trace * (1 + 1e-9))
    }
}
