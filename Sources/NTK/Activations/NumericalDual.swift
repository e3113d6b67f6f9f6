import Glibc

/// Duals of activations without a closed form.
///
/// Far from coinciding pairs, and wherever the function is smooth on the scale of √q, by Hermite series, whose coefficients belong to the
/// points; else by quadrature in polar coordinates, which is uniformly accurate in the angle:
///
///     κ = 1/2π ∫∫ φ(√q1 r cos α) φ(√q2 r cos(α − θ)) r exp(−r²/2) dr dα
///
/// with pieces between the lines where an argument changes its sign, so that a kink at zero costs no accuracy; other kinks are found by
/// scanning the slope, and split the radial integrals.
struct NumericalDual: Sendable {
    let activation: Activation
    /// Where the slope jumps, but for 0.
    private let kinks: [Double]
    private let fine: GaussLegendre
    private let angular: [(node: Double, weight: Double)]
    private let radial: GaussLegendre

    private static let accuracy = 1e-13
    private static let lineBorders = [0, 0.02, 0.06, 0.15, 0.3, 0.6, 1, 1.5, 2.2, 3, 4, 5, 6.5, 8, 10, 13]
    private static let radialBorders = [0, 0.05, 0.2, 0.6, 1.3, 2.2, 3.3, 4.6, 6.2, 8.5, 12]

    init(_ activation: Activation) {
        self.activation = activation
        fine = GaussLegendre(16)
        radial = GaussLegendre(8)
        // Nodes crowd at both ends, where a steep function changes fast.
        let rule = GaussLegendre(32)
        angular = zip(rule.nodes, rule.weights).map { t, weight in
            (t * t * t * (10 - 15 * t + 6 * t * t), 30 * t * t * (1 - t) * (1 - t) * weight)
        }
        kinks = Self.kinks(activation)
    }

    /// Places where the slope of an expression jumps.
    private static func kinks(_ activation: Activation) -> [Double] {
        guard case .elementwise(let expression) = activation else { return [] }
        let step = 1.0 / 64
        func slope(_ x: Double) -> Double { expression.evaluate(x).derivative }
        var kinks: [Double] = []
        // A grid that misses round numbers, where kinks are.
        var x = -40 + step / 3
        while x < 40 {
            let (a, b) = (slope(x), slope(x + step))
            let around = max(abs(a - slope(x - step)), abs(slope(x + 2 * step) - b))
            if abs(b - a) > 4 * around + 1e-3 * (abs(a) + abs(b)) {
                var (low, high) = (x, x + step)
                for _ in 0..<50 {
                    let middle = (low + high) / 2
                    if abs(slope(middle) - slope(low)) > abs(slope(high) - slope(middle)) { high = middle } else { low = middle }
                }
                let place = (low + high) / 2
                if abs(place) > 1e-9 { kinks.append(place) }
            }
            x += step
        }
        return kinks
    }

    /// Series, κ and κ̇ of a point with itself.
    func point(_ q: Double) -> (HermiteSeries?, Double, Double) {
        let series = series(q)
        return (series, series.kappa, series.kappaDot)
    }

    private func series(_ q: Double) -> HermiteSeries {
        let root = q.squareRoot()
        var borders = Self.lineBorders + Self.lineBorders.dropFirst().map { -$0 }
        if root > 0 { borders += kinks.map { $0 / root }.filter { abs($0) < 13 } }
        let samples = fine.composite(borders.sorted()).map { node, weight in
            let (value, slope) = activation.evaluate(root * node)
            return (node, weight * exp(-node * node / 2) / (2 * Double.pi).squareRoot(), value, slope)
        }
        return HermiteSeries(samples)
    }

    /// - Parameter roots: √(κ11 κ22).
    func pair(_ pair: GaussianPair, _ series1: HermiteSeries?, _ series2: HermiteSeries?, roots: Double) -> DualPair {
        let (value, dot) = self.pair(pair.q1, pair.q2, series1, series2, near: pair.near, isFar: pair.isFar)
        return DualPair(covariance: value, derivative: dot, roots: roots)
    }

    private func pair(
        _ q1: Double, _ q2: Double, _ series1: HermiteSeries?, _ series2: HermiteSeries?, near: Double, isFar: Bool
    ) -> (Double, Double) {
        guard let series1, let series2 else { return (.nan, .nan) }
        // A zero vector has no direction: its own function is a constant.
        let h = q1 > 0 && q2 > 0 ? near : 1
        let c = isFar ? -(1 - h) : 1 - h
        let decay = pow(abs(c), Double(HermiteSeries.terms))
        let left = (series1.rest * series2.rest).squareRoot() * decay
        let slopeLeft = (series1.slopeRest * series2.slopeRest).squareRoot() * decay
        if left <= Self.accuracy * (series1.kappa * series2.kappa).squareRoot()
            && slopeLeft <= Self.accuracy * (series1.kappaDot * series2.kappaDot).squareRoot()
        {
            return (
                HermiteSeries.product(series1.coefficients, series2.coefficients, c), HermiteSeries.product(series1.slopes, series2.slopes, c)
            )
        }
        return polar(q1, q2, ClosedDual.angle(h, isFar), radial)
    }

    private func polar(_ q1: Double, _ q2: Double, _ angle: Double, _ radial: GaussLegendre) -> (Double, Double) {
        let (root1, root2) = (q1.squareRoot(), q2.squareRoot())
        let plain = radial.composite(Self.radialBorders).map { ($0, $1 * $0 * exp(-$0 * $0 / 2)) }
        var (value, dot) = (0.0, 0.0)
        let borders = [-Double.pi / 2, angle - .pi / 2, .pi / 2, angle + .pi / 2, 1.5 * .pi]
        for (from, to) in zip(borders, borders.dropFirst()) where to > from {
            for (node, weight) in angular {
                let alpha = from + (to - from) * node
                let (u, v) = (root1 * cos(alpha), root2 * cos(alpha - angle))
                let rays = kinks.isEmpty ? plain : split(u, v, radial)
                var (sum, slopeSum) = (0.0, 0.0)
                for (r, w) in rays {
                    let (a, da) = activation.evaluate(u * r)
                    let (b, db) = activation.evaluate(v * r)
                    sum += w * (a * b)
                    slopeSum += w * (da * db)
                }
                value += (to - from) * weight * sum
                dot += (to - from) * weight * slopeSum
            }
        }
        return (value / (2 * .pi), dot / (2 * .pi))
    }

    /// The radial rule with borders where an argument meets a kink.
    private func split(_ u: Double, _ v: Double, _ radial: GaussLegendre) -> [(Double, Double)] {
        let places = kinks.flatMap { [$0 / u, $0 / v] }.filter { $0 > 0 && $0 < 12 }
        return radial.composite((Self.radialBorders + places).sorted()).map { ($0, $1 * $0 * exp(-$0 * $0 / 2)) }
    }

    /// How far two ways to the same numbers disagree, relative to κ: the line against polar coordinates, and these at two orders.
    var errorEstimate: Double {
        let finer = GaussLegendre(12)
        return [0.1, 1, 10].reduce(1e-15) { worst, q in
            let own = series(q)
            let scale = max(own.kappa, 1e-300)
            let coincident = abs(polar(q, q, 0, radial).0 - own.kappa) / scale
            let apart = abs(polar(q, q, 1, radial).0 - polar(q, q, 1, finer).0) / scale
            return max(worst, coincident, apart)
        }
    }
}
