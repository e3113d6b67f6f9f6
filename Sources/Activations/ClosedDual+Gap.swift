import Glibc

// The gap behind an activation from its formula in twice the digits of float64, and below the digits of that from what cancels nowhere.
extension ClosedDual {
    /// Gaps below this are more than twice the digits of 1 tell.
    private static let leastGap = 1e-17

    /// The gap in twice the digits, for the functions that need it.
    package func gap(_ pair: GaussianPair) -> Double? {
        guard let (root, covariance) = exact else { return nil }
        let numbers = CorrelatedPair<DoubleDouble>(pair, root: root)
        let first = covariance(numbers.own(second: false))
        let second = pair.q1 == pair.q2 && pair.knownDifference == nil ? first : covariance(numbers.own(second: true))
        let roots = (first * second).squareRoot()
        guard roots.double > 0 else { return nil }
        let value = covariance(numbers)
        let isFar = value.double < 0
        let near = ((isFar ? roots + value : roots - value) / roots).double
        // Not `max`, which would drop a NaN.
        var gap = near < 0 ? 0 : near
        if gap < Self.leastGap, isFar == pair.isFar, !isFar || isOdd {
            // The far side of an odd function is the near side of the opposite point.
            let near = GaussianPair(pair.q1, pair.q2, gap: pair.near, knownDifference: pair.knownDifference)
            gap = smallest(near, root, covariance) ?? apart(near, root, covariance) ?? gap
        }
        return isFar ? -gap : gap
    }

    /// φ(−u) = −φ(u).
    private var isOdd: Bool {
        switch activation {
        case .erf(_, _, let c), .sin(_, _, let c): c == 0
        default: false
        }
    }

    /// To first order: κ̇ √(q1 q2) h / κ of the angle, and of the norms as (q1 − q2)², with the factor from variances that differ enough. Nil
    /// where the first order is not enough.
    private func smallest(_ pair: GaussianPair, _ root: Double, _ covariance: Covariance) -> Double? {
        let known = pair.knownDifference ?? (pair.q1 - pair.q2) / (pair.q1 + pair.q2)
        let distance = root * root * (pair.q2 * known * known + 2 * pair.product * pair.near)
        // Polynomials and gelu, at large variances, change with the angle alone.
        let isPolynomial = if case .polynomial = activation { true } else { activation == .gelu(approximate: false) }
        let size = isPolynomial ? max(pair.q2, 1) : 1
        guard distance < 1e-12 * size, abs(known) < 1e-6 else { return nil }
        let own = values(GaussianPair(pair.q2, pair.q2, gap: 0, knownDifference: nil))
        guard own.covariance > 0, own.covariance.isFinite else { return nil }
        // Waves change with √q, the others with q's logarithm.
        let isWave =
            switch activation {
            case .sin, .cos: true
            default: false
            }
        let step = isPolynomial ? 1e-5 : 1e-4 / (isWave ? max(root * pair.a2, 1) : 1)
        let mean = pair.q1 / 2 + pair.q2 / 2
        /// The gap of two norms about the pair's own, an even function of the step, over the step's square.
        func curvature(_ step: Double) -> Double {
            let apart = GaussianPair(mean * (1 - step), mean * (1 + step), gap: 0, knownDifference: -step)
            let numbers = CorrelatedPair<DoubleDouble>(apart, root: root)
            let roots = (covariance(numbers.own(second: false)) * covariance(numbers.own(second: true))).squareRoot()
            return ((roots - covariance(numbers)) / roots).double / (step * step)
        }
        // Without the error as the step's square.
        let limit = (4 * curvature(step / 2) - curvature(step)) / 3
        return own.derivative / own.covariance * pair.product * pair.near + max(limit, 0) * known * known
    }

    /// Of norms that differ: κ(c) = κ(1) − √(q1 q2) ∫ κ̇ dh over the gaps from 0 to h (Price 1958), which is a sum of positive terms.
    private func apart(_ pair: GaussianPair, _ root: Double, _ covariance: Covariance) -> Double? {
        let (own1, own2) = (own(pair.q1).kappa.squareRoot(), own(pair.q2).kappa.squareRoot())
        guard own1 > 0, own2 > 0, own1.isFinite, own2.isFinite else { return nil }
        func derivative(_ gap: Double) -> Double {
            values(GaussianPair(pair.q1, pair.q2, gap: gap, knownDifference: pair.knownDifference)).derivative
        }
        // By t = √h, in parts that follow κ̇ down to the angle in which it changes.
        let least = 0.25 / max(root * pair.a2, 1)
        var (integral, high) = (0.0, pair.near.squareRoot())
        while high > 0 {
            let low = high > least ? high / 4 : 0
            for (t, weight) in GaussLegendre.order16.composite([low, high]) { integral += 2 * t * weight * derivative(t * t) }
            high = low
        }
        return (pair.a1 / own1) * (pair.a2 / own2) * integral + collinear(pair, root, covariance)
    }

    /// The gap of two points on one line.
    private func collinear(_ pair: GaussianPair, _ root: Double, _ covariance: Covariance) -> Double {
        let line = GaussianPair(pair.q1, pair.q2, gap: 0, knownDifference: pair.knownDifference)
        let numbers = CorrelatedPair<DoubleDouble>(line, root: root)
        let (own1, own2) = (numbers.own(second: false), numbers.own(second: true))
        if root * pair.a1 > 1e8, let excess {
            let (both, first, second) = (excess(numbers), excess(own1), excess(own2))
            /// Of log(1 + e).
            func logarithm(_ e: DoubleDouble) -> DoubleDouble { e * (DoubleDouble(1) - e * (DoubleDouble(0.5) - e / DoubleDouble(3))) }
            let half = DoubleDouble(0.5)
            return max(-((logarithm(both) - half * (logarithm(first) + logarithm(second))).double), 0)
        }
        let roots = (covariance(own1) * covariance(own2)).squareRoot()
        let gap = ((roots - covariance(numbers)) / roots).double
        // Less is rounding.
        return gap < 1e-31 ? 0 : gap
    }

    /// By how much the covariance of points on one line exceeds that of infinite variances, as a share of it; to full relative accuracy for
    /// variances of 1e16 and more.
    private var excess: Covariance? {
        switch activation {
        case .erf(let a, _, let c):
            // asin ρ = π/2 − acos ρ
            let factor = DoubleDouble(2 / .pi * a * a)
            let whole = factor * Self.halfPi + DoubleDouble(product: c, c)
            return { pair in
                let bounded = pair.bounded
                return -(factor * DoubleDouble.angle(bounded.s, bounded.rho)) / whole
            }
        case .gelu:
            // ρ (g1 g2 / s + s) − asin s over π, with ρ s − asin s = −(2/3) s³ − s⁵ / 5 − …
            let (two, three, five) = (DoubleDouble(2), DoubleDouble(3), DoubleDouble(5))
            return { pair in
                let bounded = pair.bounded
                let (s, square) = (bounded.s, bounded.s * bounded.s)
                let bend = -(s * square) * (two / three + square / five)
                return (bounded.rho * (bounded.g1 * bounded.g2 / s) + bend) / (Self.halfPi * two)
            }
        default: return nil
        }
    }
}
