import Glibc
import LinearAlgebra

/// Duals of homogeneous functions: the angle behind them depends on the angle before them alone, and so the gap has formulas of its own.
package enum HomogeneousDuals {
    /// The angle to the nearer pole from the gap: 2 asin √(h/2).
    package static func angle(_ near: Double) -> Double { 2 * asin(min((near / 2).squareRoot(), 1)) }

    /// sin θ − θ cos θ of the angle to the nearer pole, to a relative accuracy of some ε.
    package static func bend(_ near: Double) -> Double {
        let angle = angle(near)
        guard angle < 0.5 else { return (near * (2 - near)).squareRoot() - angle * (1 - near) }
        // Σ_k (−1)^(k+1) 2k θ^(2k+1) / (2k + 1)!
        let square = angle * angle
        var (sum, term) = (0.0, angle)
        for k in 1...8 {
            term *= -square / Double(2 * k * (2 * k + 1))
            sum -= Double(2 * k) * term
        }
        return sum
    }

    /// φ(u) = a min(u, 0) + b max(u, 0): with the angle to the nearer pole θ, g = sin θ − θ cos θ and r = (a − b)² / (a² + b²),
    /// 1 − c' = h − r g / π near 0, and 1 + c' = r + (1 − r) h + r g / π near π.
    package static func abRelu(_ a: Double, _ b: Double, _ pair: GaussianPair) -> DualPair {
        let (half, square) = ((a * a + b * b) / 2, (a - b).squared)
        guard half > 0 else { return DualPair(covariance: 0, derivative: 0, gap: 1) }
        let (h, r) = (pair.near, square / (2 * half))
        let angle = angle(h)
        let bend = r / .pi * bend(h)
        let below = pair.isFar ? (2 - r) + (r - 1) * h - bend : h - bend
        let above = pair.isFar ? r + (1 - r) * h + bend : 2 - h + bend
        let cosine = below <= above ? 1 - below : above - 1
        let slope = half - square * (pair.isFar ? .pi - angle : angle) / (2 * .pi)
        return DualPair(covariance: half * pair.product * cosine, derivative: slope, gap: below <= above ? max(below, 0) : -max(above, 0))
    }

    /// c' = 1 − 2 θ / π.
    package static func sign(_ pair: GaussianPair) -> DualPair {
        guard pair.a1 > 0 else { return DualPair(covariance: 0, derivative: 0, gap: 1) }
        let gap = 2 / .pi * angle(pair.near)
        return DualPair(covariance: pair.isFar ? gap - 1 : 1 - gap, derivative: 0, gap: pair.isFar ? -gap : gap)
    }

    /// K = (√(q1 q2))ⁿ J_n / 2π with J_0 = π − θ, J_1 = sin θ + (π − θ) cos θ, J_{n+1} = (2n+1) cos θ J_n + n² sin²θ J_{n−1} (Cho & Saul
    /// 2009). For T_n = J_n(0) − J_n: T_{n+1} = (2n+1) (T_n + (1 − cos θ) J_n) − n² sin²θ J_{n−1}, where little cancels.
    package static func rectifiedMonomial(_ n: Int, _ pair: GaussianPair) -> DualPair {
        if n == 0 && pair.a1 == 0 {
            // φ(0) = 1/2, and E φ(v) = 1/2 as well.
            return DualPair(covariance: 0.25, derivative: 0, gap: pair.a2 == 0 ? 0 : 1 - 0.5.squareRoot())
        }
        let h = pair.near
        let near = angle(h)
        let sine = (h * (2 - h)).squareRoot()
        let (cosine, below) = (pair.cosine, pair.below)
        // J_n, J_{n−1}, T_n and J_n(0).
        var (last, before) = (pair.isFar ? near : .pi - near, 0.0)
        var (rest, whole) = (pair.isFar ? .pi - near : near, Double.pi)
        for k in 0..<n {
            if k == 0 {
                // Near π: sin θ − (π − θ) (1 − h) is the bend of the angle to the nearer pole.
                (last, before) = (sine + last * cosine, last)
                rest = pair.isFar ? .pi - last : .pi * h - bend(h)
                continue
            }
            let added = Double(k * k) * sine * sine * before
            rest = Double(2 * k + 1) * (rest + below * last) - added
            (last, before) = (Double(2 * k + 1) * cosine * last + added, last)
            whole *= Double(2 * k + 1)
        }
        last = max(last, 0)
        let product = pair.product
        let gap = max(min(rest / whole, 1), 0)
        return DualPair(
            covariance: pow(product, Double(n)) / (2 * .pi) * last,
            derivative: n == 0 ? 0 : Double(n * n) * pow(product, Double(n - 1)) / (2 * .pi) * before, gap: gap)
    }

    /// c' = cⁿ.
    package static func hermite(_ n: Int, _ pair: GaussianPair) -> DualPair {
        guard n > 0 else { return DualPair(covariance: 1, derivative: 0, gap: 0) }
        let covariance = pair.covariance
        let gap = -expm1(Double(n) * log1p(-pair.near))
        return DualPair(
            covariance: pow(covariance, Double(n)), derivative: Double(n) * pow(covariance, Double(n - 1)),
            gap: pair.isFar && n % 2 == 1 ? -gap : gap)
    }

    /// E uⁿ vⁿ = (q1 q2)^(n/2) Σ_k w_k c^k over k = n − 2m, with w_k = (n!)² / (k! (2^m m!)²).
    package static func monomial(_ n: Int, _ pair: GaussianPair) -> DualPair {
        guard n > 0 else { return DualPair(covariance: 1, derivative: 0, gap: 0) }
        func weight(_ n: Int, _ m: Int) -> Double {
            let halves = Double(m) * Glibc.log(2.0) + lgamma(Double(m + 1))
            return Glibc.exp(2 * lgamma(Double(n + 1)) - lgamma(Double(n - 2 * m + 1)) - 2 * halves).rounded()
        }
        let logarithm = log1p(-pair.near)
        var (sum, all, rest, slope) = (0.0, 0.0, 0.0, 0.0)
        for m in 0...n / 2 {
            let (k, w) = (n - 2 * m, weight(n, m))
            all += w
            sum += w * pow(1 - pair.near, Double(k))
            rest += k == 0 ? 0 : w * -expm1(Double(k) * logarithm)
        }
        for m in 0...(n - 1) / 2 { slope += weight(n - 1, m) * pow(1 - pair.near, Double(n - 1 - 2 * m)) }
        let (isOdd, product) = (n % 2 == 1, pair.product)
        return DualPair(
            covariance: (pair.isFar && isOdd ? -1 : 1) * pow(product, Double(n)) * sum,
            derivative: (pair.isFar && !isOdd ? -1 : 1) * Double(n * n) * pow(product, Double(n - 1)) * slope,
            gap: (pair.isFar && isOdd ? -1 : 1) * (rest / all))
    }
}
