internal import Glibc

/// The recursion e_{s+1} = (1 + μ − a) e_s − μ e_{s−1} with e_0 = e_{−1} = 1 in closed form, for any number of steps.
///
/// With z = 1 − w its roots fulfil w² − (1 − μ + a) w + a = 0, so that small w are found without cancellation; the discriminant
/// Δ = ((1 − √μ)² − a)((1 + √μ)² − a) says whether they are real. Powers of matrices would double the error of each step with each squaring.
struct HeavyBall {
    /// a ≥ 0.
    let rate: Double
    /// μ, 0 to below 1.
    let momentum: Double

    /// (1 − √μ)² and (1 + √μ)²: between them the roots are complex.
    private let least, largest: Double
    /// √|Δ|.
    private let root: Double

    init(rate: Double, momentum: Double) {
        (self.rate, self.momentum) = (rate, momentum)
        let sum = 1 + momentum.squareRoot()
        least = (1 - momentum) / sum * ((1 - momentum) / sum)
        largest = sum * sum
        root = abs(least - rate).squareRoot() * abs(largest - rate).squareRoot()
    }

    /// w₂ ≥ w₁ of real roots z > 0.
    private var small: (w1: Double, w2: Double) {
        let w2 = (1 - momentum + rate + root) / 2
        return (rate / w2, w2)
    }

    /// e_s.
    func remainder(_ s: Double) -> Double {
        if s == 0 { return 1 }
        if isSlow(s) { return 1 - rate * series(s) }
        if rate < least { return monotone(s) }
        return rate < largest ? oscillating(s) : alternating(s)
    }

    /// (1 − e_s)/a, which is s(s + 1)/2 for μ near 1, and about s/(1 − μ) for others, as a goes to 0.
    func gain(_ s: Double) -> Double {
        if s == 0 { return 0 }
        if isSlow(s) { return series(s) }
        if rate < least {
            let (w1, w2) = small
            if w1 * s < 0.5 { return (Self.geometric(w1, s) - Self.geometric(w2, s)) / root }
        }
        return (1 - remainder(s)) / rate
    }

    /// Σ_{j=1}^{s} (1 − w)^j.
    private static func geometric(_ w: Double, _ s: Double) -> Double {
        if w == 0 { return s }
        return w >= 1 ? 0 : (1 - w) * -expm1(s * log1p(-w)) / w
    }

    /// Whether s steps move so little that the power series in w has small terms.
    private func isSlow(_ s: Double) -> Bool { (1 - momentum + rate) * s <= 4 && rate * s * s <= 4 }

    /// Σ_{k≥1} (−1)^{k+1} C(s+1, k+1) H_{k−1}(w₁, w₂): the divided difference of Σ_j (1 − w)^j, term by term; H are complete homogeneous
    /// polynomials, real for complex roots, too.
    private func series(_ s: Double) -> Double {
        let trace = 1 - momentum + rate
        var (last, own) = (0.0, 1.0)
        var binomial = (s + 1) * (s / 2)
        var sum = 0.0
        for k in 1...60 {
            let term = binomial * own
            sum += k % 2 == 1 ? term : -term
            if abs(term) <= 1e-18 * abs(sum), k > 2 { break }
            let rest = s - Double(k)
            if rest <= 0 { break }
            binomial *= rest / Double(k + 2)
            (last, own) = (own, trace * own - rate * last)
        }
        return sum
    }

    /// z₁^{s+1} (1 + w₁ (1 − (z₂/z₁)^{s+1})/√Δ): a product and a sum of numbers above 0.
    private func monotone(_ s: Double) -> Double {
        let (w1, _) = small
        let z1 = 1 - w1
        let ratio = root / z1
        let fraction: Double = root == 0 ? (s + 1) / z1 : -(ratio < 1 ? expm1((s + 1) * log1p(-ratio)) : -1) / root
        return exp((s + 1) * log1p(-w1)) * (1 + w1 * fraction)
    }

    /// r^s (cos sθ + (cos θ − r) sin sθ / sin θ) for roots r e^{±iθ}.
    private func oscillating(_ s: Double) -> Double {
        let r = momentum.squareRoot()
        let size = exp(s / 2 * log(momentum))
        if size == 0 { return 0 }
        let theta = atan2(root, 1 + momentum - rate)
        // (1 − μ − a)/(2r) = cos θ − r, and √−Δ/(2r) = sin θ.
        let sine = root > 0 ? sin(s * theta) / root : s / (2 * r) * (1 + momentum > rate ? 1 : 0)
        return size * (cos(s * theta) + (1 - momentum - rate) * sine)
    }

    /// (−1)^s g^{s+1} ((1 + h)(1 − q)/√Δ − q), q = (h/g)^{s+1}, for roots −g < −h < 0.
    private func alternating(_ s: Double) -> Double {
        guard rate.isFinite else { return s.truncatingRemainder(dividingBy: 2) == 0 ? .infinity : -.infinity }
        let g = (rate - 1 - momentum + root) / 2
        let h = momentum / g
        let ratio = root / g
        let exponent = ratio < 1 ? (s + 1) * log1p(-ratio) : -Double.infinity
        let fraction = root == 0 ? (s + 1) / g : -expm1(exponent) / root
        // (1 − g)(1 − h) = 2(1 + μ) − a.
        let below = (2 * (1 + momentum) - rate) / (1 - h)
        let size = exp((s + 1) * (abs(below) < 0.5 ? log1p(-below) : log(g)))
        let value = size * ((1 + h) * fraction - exp(exponent))
        return s.truncatingRemainder(dividingBy: 2) == 0 ? value : -value
    }
}
