import Glibc

/// Integrals over correlations of Σ_ij s_i s_j p(h_i, k_j; r), with p the density of two standard numbers of correlation r at kinks of two
/// points: with r = sin θ = cos ψ,
///
///     p dr = 1/2π exp(−(h² + k² − 2 h k sin θ) / (2 cos² θ)) dθ = 1/2π exp(−(h − k)² / (2 sin² ψ) − h k / (1 + cos ψ)) dψ
struct KinkPairs {
    private let h, k, s, t: [Double]
    /// Whether jumps cancel and kinks are near zero at both points, see `PiecewiseLinear.Point`.
    private let isNarrow: Bool

    /// Where the integrals from ρ = 1 on are the better ones: at gaps below this. Of narrow kinks these lose what the others do not, in proportion to
    /// the gap.
    var poleGap: Double { isNarrow ? min(0.03, 5 * (h + k).reduce(0) { max($0, abs($1)) }) : 0.03 }

    /// - Parameter isFar: v stands for −v.
    init(_ a: PiecewiseLinear.Point, _ b: PiecewiseLinear.Point, isFar: Bool) {
        (h, s, t) = (a.kinks, a.jumps, b.jumps)
        k = isFar ? b.kinks.map { -$0 } : b.kinks
        isNarrow = a.isNarrow && b.isNarrow
    }

    // MARK: From ρ = 0

    /// ∫_0^ρ Σ s t p dr and ∫_0^ρ (ρ − r) Σ s t p dr with ρ = 1 − near = cos ψ.
    func fromRightAngle(_ near: Double) -> (whole: Double, moment: Double) {
        guard !h.isEmpty, !k.isEmpty, near < 1 else { return (0, 0) }
        let last = 2 * asin((near / 2).squareRoot())
        // Pieces that halve towards the pole, where the exponents grow.
        let octaves = log2(Double.pi / 2 / last)
        let pieces = max(1, (octaves / 0.95).rounded(.up))
        let ratio = exp2(octaves / pieces)
        var (sums, start) = ((0.0, 0.0), last)
        for _ in 0..<Int(pieces) {
            let end = start * ratio
            for (node, weight) in zip(GaussLegendre.order16.nodes, GaussLegendre.order16.weights) {
                let angle = start + (end - start) * node
                let (sine, half) = (sin(angle), sin(angle / 2))
                let value = (end - start) * weight * density(below: 2 * half * half, square: sine * sine)
                sums.0 += value
                sums.1 += value * (2 * sin((angle + last) / 2) * sin((angle - last) / 2))
            }
            start = end
        }
        return (sums.0 / (2 * .pi), sums.1 / (2 * .pi))
    }

    /// Σ s t exp(−(h² + k² − 2 h k r) / (2 (1 − r²))).
    /// - Parameters:
    ///   - below: 1 − r.
    ///   - square: 1 − r².
    private func density(below: Double, square: Double) -> Double {
        let inverse = 0.5 / square
        guard isNarrow else {
            var sum = 0.0
            for i in h.indices {
                for j in k.indices {
                    let difference = h[i] - k[j]
                    sum += s[i] * t[j] * Glibc.exp(-(difference * difference + 2 * below * (h[i] * k[j])) * inverse)
                }
            }
            return sum
        }
        // e^{A + B + C} with Σ s = 0: (Σ s (e^A − 1)) (Σ t (e^B − 1)) + Σ s t e^{A + B} (e^C − 1).
        var (left, right, mixed) = (0.0, 0.0, 0.0)
        for i in h.indices { left += s[i] * expm1(-h[i] * h[i] * inverse) }
        for j in k.indices { right += t[j] * expm1(-k[j] * k[j] * inverse) }
        for i in h.indices {
            for j in k.indices {
                mixed += s[i] * t[j] * Glibc.exp(-(h[i] * h[i] + k[j] * k[j]) * inverse) * expm1(2 * (1 - below) * h[i] * k[j] * inverse)
            }
        }
        return left * right + mixed
    }

    // MARK: From ρ = 1

    /// ∫_ρ^1 Σ s t p dr and ∫_ρ^1 (1 − r) Σ s t p dr with ρ = 1 − near, near at most 0.03.
    func fromPole(_ near: Double) -> (whole: Double, moment: Double) {
        let reach = (near * (2 - near)).squareRoot()
        var sums = (0.0, 0.0)
        for i in h.indices {
            for j in k.indices {
                let (whole, moment) = integrals(h[i], k[j], reach, near)
                sums.0 += s[i] * t[j] * whole
                sums.1 += s[i] * t[j] * moment
            }
        }
        return (sums.0 / (2 * .pi), sums.1 / (2 * .pi))
    }

    /// Of one pair of kinks, of `isNarrow` ones less those of a pair at zero: ∫ exp(−d²/2x² − h k / (1 + cos ψ)) dψ and the same times 1 − cos ψ, over
    /// x = sin ψ up to `reach`.
    private func integrals(_ h: Double, _ k: Double, _ reach: Double, _ near: Double) -> (Double, Double) {
        let (distance, product) = (abs(h - k), h * k)
        let isShort = product * reach * reach <= 12
        let inner = isShort ? reach : (12 / product).squareRoot()
        var sums = (0.0, 0.0)
        let isSmooth = distance < inner
        if isSmooth {
            sums = layer(distance, product, inner)
        } else {
            add(&sums, distance, product, from: distance / 9, to: inner)
        }
        if !isShort { add(&sums, distance, product, from: max(inner, distance / 9), to: min(reach, (360 / product).squareRoot())) }
        guard isNarrow, !isSmooth else { return sums }
        let angle = asin(reach)
        return (sums.0 - angle, sums.1 - (angle < 0.1 ? Self.lessSine(angle) : angle - reach))
    }

    /// x − sin x.
    private static func lessSine(_ x: Double) -> Double {
        let square = x * x
        return x * square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110))))
    }

    /// By Gauss' rule in pieces that grow with x.
    private func add(_ sums: inout (Double, Double), _ distance: Double, _ product: Double, from: Double, to: Double) {
        var start = from
        while start < to {
            let end = 1.5 * start >= 0.9 * to ? to : 1.5 * start
            for (node, weight) in zip(GaussLegendre.order16.nodes, GaussLegendre.order16.weights) {
                let x = start + (end - start) * node
                let cosine = ((1 - x) * (1 + x)).squareRoot()
                let ratio = distance / x
                let value = (end - start) * weight / cosine * Glibc.exp(-ratio * ratio / 2 - product / (1 + cosine))
                sums.0 += value
                sums.1 += value * (x * x / (1 + cosine))
            }
            start = end
        }
    }

    /// Over x from 0 to `reach` > d: the factor exp(−d²/2x²), which changes at any scale, times a power series in x², by recurrence.
    ///
    /// With δ = d / reach, j_n = ∫_0^1 y^{2n} exp(−δ²/2y²) dy: (2n + 1) j_n = exp(−δ²/2) − δ² j_{n−1}. Of narrow kinks j_n − 1/(2n + 1), and the
    /// rest of the other factor beyond 1. An interpolation in x² would lose the size of its coefficients.
    private func layer(_ distance: Double, _ product: Double, _ reach: Double) -> (Double, Double) {
        let (delta, step) = (distance / reach, reach * reach)
        let square = delta * delta
        let (end, less) = (Glibc.exp(-square / 2), expm1(-square / 2))
        let pole = delta * (Double.pi / 2).squareRoot() * erfc(delta / 2.0.squareRoot())
        var (moment, rest) = (end - pole, less - pole)
        return unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.terms) { series in
            // exp(−h k / (1 + cos ψ)): n e_n = −h k Σ m u_m e_{n−m}.
            let first = Glibc.exp(-product / 2)
            unsafe series[0] = first
            for n in 1..<Self.terms {
                var sum = 0.0
                for m in 1...n { unsafe sum += Self.weightedTurns[m] * series[n - m] }
                unsafe series[n] = -product * sum / Double(n)
            }
            if isNarrow { unsafe series[0] = expm1(-product / 2) }
            var (sums, power) = ((0.0, 0.0), reach)
            for n in 0..<Self.terms {
                let next = Double(2 * n + 3)
                let after = (end - square * moment) / next
                var (whole, turned) = (0.0, 0.0)
                for m in 0...n {
                    unsafe whole += Self.inverseCosines[m] * series[n - m]
                    unsafe turned += Self.turnedCosines[m] * series[n - m]
                }
                sums.0 += power * (whole * moment)
                sums.1 += power * step * (turned * after)
                let restAfter = (less - square * moment) / next
                if isNarrow {
                    sums.0 += power * (Self.inverseCosines[n] * rest)
                    sums.1 += power * step * (Self.turnedCosines[n] * restAfter)
                }
                (moment, rest) = (after, restAfter)
                power *= step
            }
            return sums
        }
    }

    /// Of the series in x² < 0.06.
    private static let terms = 14
    /// 1 / cos ψ = (1 − x²)^{−1/2}.
    private static let inverseCosines = series(1, 0)
    /// 1 / (1 + cos ψ): half of Catalan's numbers by 4ⁿ.
    private static let turns = series(0.5, 2)

    /// c_n = c_{n−1} (2n − 1) / (2n + `more`).
    private static func series(_ first: Double, _ more: Int) -> [Double] {
        var terms = [first]
        for n in 1..<Self.terms { terms.append(terms[n - 1] * Double(2 * n - 1) / Double(2 * n + more)) }
        return terms
    }

    private static let weightedTurns: [Double] = turns.enumerated().map { Double($0) * $1 }
    private static let turnedCosines: [Double] = (0..<terms).map { (n: Int) -> Double in
        var sum = 0.0
        for m in 0...n { sum += turns[m] * inverseCosines[n - m] }
        return sum
    }
}
