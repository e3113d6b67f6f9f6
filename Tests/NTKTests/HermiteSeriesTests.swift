import Foundation
import Testing

@testable import Activations

/// Series of functions whose Hermite coefficients are known.
struct HermiteSeriesTests {
    private func series(_ activation: Activation, root: Double = 1, terms: Int = 256) -> HermiteSeries {
        HermiteSeries(GaussianSamples(NumericalFunction(activation), root: root, width: 1), terms: terms)
    }

    /// x³ = √6 h₃ + 3 h₁ of norm √15; its slope 3x² = 3√2 h₂ + 3 h₀ of norm √27.
    @Test(arguments: [0, 1e-12, 1e-6, 0.1, 0.5, 0.9, 1]) func cube(near: Double) {
        let series = series(.monomial(degree: 3))
        #expect(series.isComplete && HermiteSeries.suffices(series, series, near: near))
        for isFar in [false, true] {
            let cosine = isFar ? near - 1 : 1 - near
            let pair = HermiteSeries.pair(series, series, near: near, isFar: isFar)
            #expect(abs(pair.cosine - (9 * cosine + 6 * pow(cosine, 3)) / 15) < 1e-14)
            #expect(abs(pair.slope - (9 + 18 * cosine * cosine) / 27) < 1e-14)
            // 1 − c³ = z (3 − 3z + z²) for z = 1 − c: to its own accuracy. An odd function is as far from −1 at the other pole.
            let gap = (9 * near + 6 * near * (3 - 3 * near + near * near)) / 15
            #expect(abs(pair.gap - gap) <= 1e-13 * gap)
        }
    }

    /// By hand at two scales: a x + b x² at √q x has the coefficients (b q, a √q, √2 b q).
    @Test func pointsOfUnequalVariance() throws {
        let (a, b) = (0.7, -1.3)
        let roots = [0.5, 2.0]
        let both = roots.map { series(.polynomial([0, a, b]), root: $0) }
        let coefficients = roots.map { root -> [Double] in
            let values = [b * root * root, a * root, 2.0.squareRoot() * b * root * root]
            let norm = values.map { $0 * $0 }.reduce(0, +).squareRoot()
            return values.map { $0 / norm }
        }
        for near in [0, 1e-9, 0.3, 1.0] {
            let pair = HermiteSeries.pair(both[0], both[1], near: near, isFar: false)
            let cosine = 1 - near
            let expected = (0..<3).map { coefficients[0][$0] * coefficients[1][$0] * pow(cosine, Double($0)) }.reduce(0, +)
            #expect(abs(pair.cosine - expected) < 1e-14)
            #expect(abs(pair.gap - (1 - expected)) < 1e-14)
        }
    }

    /// relu's coefficients fall slowly, so that a series is enough away from the poles only: (sin θ + (π − θ) cos θ)/π and 1 − θ/π.
    @Test func whatDoesNotConvergeSaysSo() {
        let series = series(.relu, terms: 512)
        #expect(!series.isComplete && !HermiteSeries.suffices(series, series, near: 1e-3) && HermiteSeries.suffices(series, series, near: 0.2))
        for near in [0.2, 0.5, 1] {
            let angle = acos(1 - near)
            let pair = HermiteSeries.pair(series, series, near: near, isFar: false)
            #expect(abs(pair.cosine - (sin(angle) + (.pi - angle) * cos(angle)) / .pi) < 1e-13)
            #expect(abs(pair.slope - (1 - angle / .pi)) < 1e-13)
        }
    }

    /// Beside a series that is longer, what this one lacks counts in the gap: Σ (a − b)²/2.
    @Test func seriesOfUnequalLength() {
        let (short, long) = (series(.monomial(degree: 1), terms: 8), series(.tanh, root: 0.5))
        #expect(short.terms < long.terms)
        let (pair, swapped) = (HermiteSeries.pair(short, long, near: 0, isFar: false), HermiteSeries.pair(long, short, near: 0, isFar: false))
        #expect(abs(1 - pair.cosine - pair.gap) < 1e-14 && pair.gap > 1e-4)
        #expect(pair.cosine == swapped.cosine && pair.gap == swapped.gap)
    }

    @Test func aPointAtZeroIsAConstant() {
        let (constant, other) = (HermiteSeries(constant: 2, slope: -3), HermiteSeries(constant: -0.5, slope: 0))
        let pair = HermiteSeries.pair(constant, other, near: 1, isFar: false)
        #expect(pair.cosine == -1 && pair.slope == 0 && constant.isComplete)
        #expect(HermiteSeries.pair(constant, constant, near: 1, isFar: false).gap == 0)
    }
}
