import Glibc

/// The dual of a piecewise linear function from one of two correlations where it is known, ρ = 0 or ρ = 1, by Taylor's formula: with a = √q1,
/// b = √q2, h_i = t_i / a, k_j = t_j / b and the density p of two standard numbers of correlation r (Price 1958),
///
///     d²κ / (a b dr)² = 1/(a b) Σ_ij s_i s_j p(h_i, k_j; r),   κ̇(ρ) = E φ'(u) E φ'(v) + ∫_0^ρ Σ s_i s_j p dr,
///     κ(ρ) = E φ(u) E φ(v) + a b (ρ E φ' E φ' + ∫_0^ρ (ρ − r) Σ s_i s_j p dr)
///
/// and from ρ = 1 on κ(1) − κ(ρ) = a b (κ̇(ρ) (1 − ρ) + ∫_ρ^1 (1 − r) Σ s_i s_j p dr), which keeps the digits of points that nearly coincide.
/// In the angle the density is an exponential alone. Time: some 30 exponentials for each pair of kinks.
///
/// Orthant probabilities by Owen's function would do for κ̇, but κ by them loses the square of a large threshold.
extension PiecewiseLinear {
    /// κ, κ̇ and the gap, signed as in `dual_activations.h`.
    static func pair(_ first: Point, _ second: Point, near: Double, isFar: Bool) -> DualPair {
        // The same bits for a pair and its mirror image.
        let (a, b) = first.root >= second.root ? (first, second) : (second, first)
        let scale = a.norm * b.norm
        // A zero vector has no direction.
        let (near, isFar) = b.root > 0 ? (near, isFar) : (1, false)
        if near == 0 && !isFar && a.root == b.root { return DualPair(covariance: scale, derivative: a.slopeNorm * b.slopeNorm, gap: 0) }
        let kinks = KinkPairs(a, b, isFar: isFar)
        let product = a.root * b.root
        let meanSlopes = (isFar ? -1 : 1) * a.meanSlope * b.meanSlope
        var pole: Pole?
        // By how much κ is less than at the pole, where that keeps more digits than κ.
        var shrunk: () -> Double
        let kappa: Double
        let dot: Double
        if near < kinks.poleGap {
            let pole0 = Pole(a, b, isFar: isFar)
            pole = pole0
            let (whole, moment) = kinks.fromPole(near)
            dot = pole0.slopes - whole
            let difference = product * (dot * near + moment)
            kappa = pole0.kappa - difference
            shrunk = { difference }
        } else {
            let (whole, moment) = kinks.fromRightAngle(near)
            dot = meanSlopes + whole
            let difference = product * (meanSlopes * (1 - near) + moment)
            kappa = a.mean * b.mean + difference
            shrunk = { (pole?.centred ?? 0) - difference }
        }
        let derivative = isFar ? -dot : dot
        let cosine = scale > 0 ? kappa / scale : 0
        guard 1 - abs(cosine) < 0.02 else { return DualPair(covariance: kappa, derivative: derivative, roots: scale) }
        let known = pole ?? Pole(a, b, isFar: isFar)
        pole = known
        let isOpposite = cosine < 0
        let rest = shrunk() / scale
        let gap = max(known.distance(isOpposite) / 2 + (isOpposite ? -rest : rest), 0)
        return DualPair(covariance: kappa, derivative: derivative, gap: isOpposite ? -gap : gap)
    }

    /// What two points have at correlation 1: f(x) = φ(a x) and g(x) = φ(b x), or φ(−b x), of one standard number x.
    private struct Pole {
        /// E f g, E (f − E f)(g − E g) and E φ' φ'.
        private(set) var kappa = 0.0, centred = 0.0, slopes = 0.0
        /// E (f / |f| ∓ g / |g|)².
        private var distances = (0.0, 0.0)

        init(_ a: Point, _ b: Point, isFar: Bool) {
            if a.root == b.root && !isFar {
                kappa = a.norm * a.norm
                slopes = a.slopeNorm * a.slopeNorm
                distances = (0, 4)
                // Only where the mean is the most of it.
                if a.mean * a.mean < 0.5 * kappa {
                    centred = kappa - a.mean * a.mean
                    return
                }
            }
            let (f, g) = (a.line, isFar ? b.mirrored : b.line)
            let (f1, g1) = (a.norm > 0 ? 1 / a.norm : 0, b.norm > 0 ? 1 / b.norm : 0)
            var sums = (kappa: 0.0, centred: 0.0, slopes: 0.0, near: 0.0, far: 0.0)
            let unit = a.root > 0 && b.root > 0 ? 1 / a.root / b.root : 0
            forEachSegment(f, g) { weight, p, q in
                sums.kappa += weight.product(p, q)
                sums.slopes += weight.whole * (p.slope * q.slope * unit)
                sums.centred += weight.product(p.moved(-a.mean), q.moved(-b.mean))
                let (near, far) = (p.combined(f1, q, -g1), p.combined(f1, q, g1))
                sums.near += weight.product(near, near)
                sums.far += weight.product(far, far)
            }
            centred = sums.centred
            if a.root == b.root && !isFar { return }
            (kappa, slopes, distances) = (sums.kappa, sums.slopes, (sums.near, sums.far))
        }

        func distance(_ isOpposite: Bool) -> Double { isOpposite ? distances.1 : distances.0 }

        /// Both lines on the segments between the knots of both.
        private func forEachSegment(_ f: StandardLine, _ g: StandardLine, _ body: (SegmentWeights, LinePart, LinePart) -> Void) {
            var (i, j) = (0, 0)
            var start: (x: Double, f: Double, g: Double)?
            while i < f.knots.count || j < g.knots.count {
                let (x, y) = (i < f.knots.count ? f.knots[i] : .infinity, j < g.knots.count ? g.knots[j] : .infinity)
                let end = (x: min(x, y), f: x <= y ? f.values[i] : f.value(y, i), g: y <= x ? g.values[j] : g.value(x, j))
                let weight = start.map { SegmentWeights($0.x, end.x) } ?? SegmentWeights(x <= y ? f.below : g.below, isBelow: true)
                body(
                    weight, LinePart(start: start?.f ?? end.f, end: end.f, slope: f.slopes[i]),
                    LinePart(start: start?.g ?? end.g, end: end.g, slope: g.slopes[j]))
                start = end
                if x <= y { i += 1 }
                if y <= x { j += 1 }
            }
            guard let start else { return }
            let last = f.knots[f.knots.count - 1] >= g.knots[g.knots.count - 1] ? f.above : g.above
            body(
                SegmentWeights(last, isBelow: false), LinePart(start: start.f, end: start.f, slope: f.slopes[i]),
                LinePart(start: start.g, end: start.g, slope: g.slopes[j]))
        }
    }
}

extension PiecewiseLinear.StandardLine {
    /// At x between the knots `index` − 1 and `index`, from the nearer of them.
    fileprivate func value(_ x: Double, _ index: Int) -> Double {
        guard index > 0 else { return values[0] - slopes[0] * (knots[0] - x) }
        guard index < knots.count, knots[index] - x < x - knots[index - 1] else {
            return values[index - 1] + slopes[index] * (x - knots[index - 1])
        }
        return values[index] - slopes[index] * (knots[index] - x)
    }
}

extension PiecewiseLinear.LinePart {
    fileprivate func moved(_ by: Double) -> Self { Self(start: start + by, end: end + by, slope: slope) }

    fileprivate func combined(_ factor: Double, _ other: Self, _ otherFactor: Double) -> Self {
        Self(
            start: factor * start + otherFactor * other.start, end: factor * end + otherFactor * other.end,
            slope: factor * slope + otherFactor * other.slope)
    }
}
