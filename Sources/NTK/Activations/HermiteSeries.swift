import Glibc

/// φ(√q x) in normalized Hermite polynomials: a_l = E[φ(√q x) h_l(x)], b_l the same of φ', for x ~ N(0, 1).
///
/// Then κ = Σ a_l(q1) a_l(q2) c^l (Mehler), and what a truncated series leaves out is at most √(rest1 rest2) |c|^(terms).
struct HermiteSeries: Sendable {
    let coefficients: [Double]
    let slopes: [Double]
    /// κ − Σ a_l² and κ̇ − Σ b_l², not negative.
    let rest, slopeRest: Double
    let kappa, kappaDot: Double

    static let terms = 160

    init(_ samples: [(node: Double, weight: Double, value: Double, slope: Double)]) {
        var a = [Double](repeating: 0, count: Self.terms)
        var b = a
        var (kappa, dot) = (0.0, 0.0)
        for sample in samples {
            let value = sample.weight * sample.value
            let slope = sample.weight * sample.slope
            kappa += value * sample.value
            dot += slope * sample.slope
            var (before, h) = (0.0, 1.0)
            for l in 0..<Self.terms {
                a[l] += value * h
                b[l] += slope * h
                (before, h) = (h, (sample.node * h - Double(l).squareRoot() * before) / Double(l + 1).squareRoot())
            }
        }
        self.kappa = kappa
        kappaDot = dot
        // Rounding is no rest.
        let sum = a.reduce(0) { $0 + $1 * $1 }
        let slopeSum = b.reduce(0) { $0 + $1 * $1 }
        rest = kappa - sum > 1e-14 * kappa ? kappa - sum : 0
        slopeRest = dot - slopeSum > 1e-14 * dot ? dot - slopeSum : 0
        func trimmed(_ series: [Double], _ total: Double) -> [Double] {
            let last = series.lastIndex { $0 * $0 > 1e-22 * total } ?? 0
            return Array(series[...last])
        }
        coefficients = trimmed(a, kappa)
        slopes = trimmed(b, dot)
    }

    /// Σ a_l a'_l c^l by Horner's rule.
    static func product(_ a: [Double], _ b: [Double], _ c: Double) -> Double {
        var sum = 0.0
        for l in stride(from: min(a.count, b.count) - 1, through: 0, by: -1) { sum = sum * c + a[l] * b[l] }
        return sum
    }
}
