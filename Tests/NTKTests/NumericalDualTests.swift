import Foundation
import Testing

@testable import Activations

/// Duals by series and quadrature against closed forms, at every scale.
struct NumericalDualTests {
    private func values(_ text: String, _ first: Double, _ second: Double, near: Double, isFar: Bool = false) throws -> DualPair {
        let dual = try NumericalDual(.elementwise(Expression(text)))
        var polar = PolarDual(dual.table)
        defer { polar.finish() }
        return dual.pair(dual.point(first), dual.point(second), near: near, isFar: isFar, &polar)
    }

    /// κ = √(q q') (sin θ + (π − θ) cos θ)/2π, κ̇ = (π − θ)/2π.
    @Test(arguments: [(1.0, 1.0), (1e-8, 1e-8), (1e6, 1e6), (0.25, 4), (1e-3, 1e3)], [0, 1e-12, 1e-5, 0.05, 0.4, 1])
    func rectifier(variances: (Double, Double), near: Double) throws {
        for isFar in [false, true] {
            let pair = try values("max(x, 0)", variances.0, variances.1, near: near, isFar: isFar)
            let small = 2 * asin((near / 2).squareRoot())
            let (sine, cosine, left) = (sin(small), isFar ? -cos(small) : cos(small), isFar ? small : .pi - small)
            let scale = (variances.0 * variances.1).squareRoot() / (2 * .pi)
            #expect(abs(pair.covariance - scale * (sine + left * cosine)) < 1e-11 * scale)
            #expect(abs(pair.derivative - left / (2 * .pi)) < 1e-11)
            // The cosine's gap: to 1 in proportion to what it is, as long as both points have one direction.
            let expected = 1 - (sine + left * cosine) / .pi
            if near > 1e-3 || isFar { #expect(abs(pair.gap - expected) < 1e-10) }
            if !isFar, near == 1e-12 {
                // 1 − c' = z − (2 √2 / 3π) z^{3/2} + …
                #expect(abs(pair.gap / (near - 2 * 2.0.squareRoot() / (3 * .pi) * pow(near, 1.5)) - 1) < 1e-6)
            }
        }
    }

    /// κ = 2/π asin(2K / √((1 + 2q)(1 + 2q'))), κ̇ = 4/π / √((1 + 2q)(1 + 2q') − 4K²).
    @Test(arguments: [(1.0, 1.0), (1e-6, 1e-6), (100, 100), (0.1, 10)], [1e-9, 1e-3, 0.3, 1]) func errorFunction(
        variances: (Double, Double), near: Double
    ) throws {
        for isFar in [false, true] {
            let pair = try values("erf(x)", variances.0, variances.1, near: near, isFar: isFar)
            let (p, q) = variances
            let covariance = (p * q).squareRoot() * (isFar ? near - 1 : 1 - near)
            let product = (1 + 2 * p) * (1 + 2 * q)
            let scale = 2 / .pi * (asin(2 * p / (1 + 2 * p)) * asin(2 * q / (1 + 2 * q))).squareRoot()
            #expect(abs(pair.covariance - 2 / .pi * asin(2 * covariance / product.squareRoot())) < 1e-11 * scale)
            #expect(abs(pair.derivative - 4 / .pi / (product - 4 * covariance * covariance).squareRoot()) < 1e-10 * pair.derivative)
        }
    }

    /// The order of the points does not matter by a bit.
    @Test(arguments: ["max(x, 0)", "tanh(x)", "x*tanh(log(1+exp(x)))", "max(x - 0.3, abs(x)/2)"]) func pairsAreSymmetric(text: String) throws {
        for near in [0, 1e-10, 0.02, 0.7] {
            let (one, other) = (try values(text, 0.3, 5, near: near), try values(text, 5, 0.3, near: near))
            #expect(one.covariance == other.covariance && one.derivative == other.derivative && abs(one.gap - other.gap) <= 1e-15 * abs(one.gap))
        }
    }

    /// A zero vector has φ(0) for an output, with whatever it is paired.
    @Test func aVarianceOfZero() throws {
        let dual = try NumericalDual(.elementwise(Expression("exp(-x*x) + x")))
        var polar = PolarDual(dual.table)
        defer { polar.finish() }
        let (zero, one) = (dual.point(0), dual.point(1))
        #expect(zero.norm == 1 && zero.slopeNorm == 1 && zero.error == 0)
        let pair = dual.pair(zero, one, near: 0.5, isFar: false, &polar)
        // E exp(−x²) = 1/√3, and the slope's mean is 1.
        #expect(abs(pair.covariance - 1 / 3.0.squareRoot()) < 1e-13 && abs(pair.derivative - 1) < 1e-13)
    }

    @Test func aFunctionWithoutAKernelIsRefused() throws {
        #expect(throws: ArchitectureError.self) { try NumericalDual(.elementwise(Expression("1/x"))) }
        #expect(throws: ArchitectureError.self) { try NumericalDual(.elementwise(Expression("abs(x)^(-0.4)"))) }
        // exp(x²/8) has one up to the variance 2: beyond it the point says that it has no value.
        let dual = try NumericalDual(.elementwise(Expression("exp(x*x/8)")))
        #expect(dual.point(1).norm.isFinite && dual.point(3).norm == .infinity && dual.point(3).error == .infinity)
    }
}
