import Glibc

/// Covariances E φ(u) φ(v) of functions whose angle depends on the scale, up to factors that belong to the two points.
///
/// Each is relatively accurate in the arithmetic it is done in for c ≥ 0, at every pair of variances.
enum AnalyticDuals {
    /// asin ρ with x = 2 b² q: E erf(b u) erf(b v) up to 2/π. Williams 1997, eq. 11.
    static func erf<Number: DualNumber>(_ pair: CorrelatedPair<Number>) -> Number {
        let bounded = pair.bounded
        return Number.angle(bounded.rho, bounded.s)
    }

    /// 2π K / √(q1 q2) with x = q: ŷ1 ŷ2 (g1 g2 c² / s + s) + c (asin ρ + π/2). Tsuchida et al. 2020 (arXiv 2002.08517).
    static func gelu<Number: DualNumber>(_ pair: CorrelatedPair<Number>, halfPi: Number) -> Number {
        let bounded = pair.bounded
        let (c, s) = (pair.cosine, bounded.s)
        let even = bounded.y1 * bounded.y2 * (bounded.g1 * bounded.g2 * (c * c) / s + s)
        return even + c * (Number.angle(bounded.rho, s) + halfPi)
    }

    /// E sin(u + p) sin(v + p), doubled, with x = q, A = E(u−v)²/2 and B = E(u+v)²/2: e^−A − cos 2p e^−B.
    /// - Parameter squares: sin² p and cos² p.
    static func sin<Number: DualNumber>(_ pair: CorrelatedPair<Number>, squares: (sine: Double, cosine: Double)) -> Number {
        let half = Number(0.5)
        let both = pair.y1 * pair.y2
        let base = half * (pair.rootDifference * pair.rootDifference)
        let (near, far) = (Number.exp(-(base + both * pair.below)), Number.exp(-(base + both * pair.above)))
        guard squares.sine < squares.cosine else { return near + far - Number(2 * squares.cosine) * far }
        let twice = Number(2) * pair.covariance
        let odd = twice.double >= 0 ? -(near * Number.expm1(-twice)) : far * Number.expm1(twice)
        return odd + Number(2 * squares.sine) * far
    }

    /// With x = 2 q: √(g1 g2) / s · exp(−1/2 + (g1 + g2) / (4 s²)) · sinh z, z = E u v g1 g2 / s².
    static func gabor<Number: DualNumber>(_ pair: CorrelatedPair<Number>) -> Number {
        let (bounded, half) = (pair.bounded, Number(0.5))
        let square = bounded.s * bounded.s
        let exponent = (bounded.g1 + bounded.g2) / (Number(4) * square) - half
        let z = half * ((pair.y1 * bounded.g1) * (pair.y2 * bounded.g2) / square) * pair.cosine
        let e = Number.expm1(z)
        return bounded.inverseRoot * Number.exp(exponent) * (half * (e + e / (Number(1) + e)))
    }

    /// Σ_l r_l(x1) r_l(x2) (√(x1 x2) c)^l with r_l(x) = Σ_i a_{2i+l} (2i+l)! / (2^i i! √l!) x^i; no division, so that zero variances are no
    /// case apart. `derivative`: Σ_l l r_l r_l (…)^(l−1).
    static func polynomial<Number: DualNumber>(_ a: [Double], _ pair: CorrelatedPair<Number>, derivative: Bool = false) -> Number {
        func coefficient(_ l: Int, _ variance: Number) -> Number {
            var sum = Number(0)
            // (2i + l)! / (2^i i! √l!), from one i to the next; √l! to begin with.
            var factor = Glibc.exp(lgamma(Double(l + 1)) / 2)
            var power = Number(1)
            var i = 0
            while 2 * i + l < a.count {
                sum = sum + Number(a[2 * i + l] * factor) * power
                factor *= Double(2 * i + l + 1) * Double(2 * i + l + 2) / Double(2 * (i + 1))
                power = power * variance
                i += 1
            }
            return sum
        }
        let covariance = pair.covariance
        var (value, power) = (Number(0), Number(1))
        for l in (derivative ? 1 : 0)..<max(a.count, derivative ? 1 : 0) {
            let both = coefficient(l, pair.x1) * coefficient(l, pair.x2)
            value = value + (derivative ? Number(Double(l)) * both : both) * power
            power = power * covariance
        }
        return value
    }

    /// The same up to factors that belong to the points, for any variance: with g = 1 / (1 + x), ŷ = √(x g), n the degree and m the lowest power,
    /// √(xᵐ gⁿ⁻ᵐ)⁻¹ … of each point: r_l becomes Σ_i a_{2i+l} (2i+l)! / (2^i i! √l!) ŷ^(2i+l−m) √g^(n−2i−l), in which nothing overflows.
    static func boundedPolynomial<Number: DualNumber>(_ a: [Double], _ pair: CorrelatedPair<Number>) -> Number {
        guard let lowest = a.firstIndex(where: { $0 != 0 }), let degree = a.lastIndex(where: { $0 != 0 }) else { return Number(0) }
        func powers(_ x: Number) -> [Number] {
            let g = Number(1) / (Number(1) + x)
            let (y, w) = ((x * g).squareRoot(), g.squareRoot())
            var (ups, downs) = ([Number(1)], [Number(1)])
            for k in 0..<(degree - lowest) {
                ups.append(ups[k] * y)
                downs.append(downs[k] * w)
            }
            return (0...(degree - lowest)).map { ups[$0] * downs[degree - lowest - $0] }
        }
        let (first, second) = (powers(pair.x1), powers(pair.x2))
        func coefficient(_ l: Int, _ powers: [Number]) -> Number {
            var sum = Number(0)
            var factor = Glibc.exp(lgamma(Double(l + 1)) / 2)
            for i in 0...max((degree - l) / 2, 0) where 2 * i + l <= degree {
                if 2 * i + l >= lowest { sum = sum + Number(a[2 * i + l] * factor) * powers[2 * i + l - lowest] }
                factor *= Double(2 * i + l + 1) * Double(2 * i + l + 2) / Double(2 * (i + 1))
            }
            return sum
        }
        var (value, power) = (Number(0), Number(1))
        for l in 0...degree {
            value = value + coefficient(l, first) * coefficient(l, second) * power
            power = power * pair.cosine
        }
        return value
    }

    /// By what `boundedPolynomial` is less for the second point than for the first, for points with themselves: (x2 / x1)ᵐ ((1 + x2) / (1 + x1))ⁿ⁻ᵐ.
    static func polynomialFactor<Number: DualNumber>(_ a: [Double], _ pair: CorrelatedPair<Number>) -> Number {
        guard let lowest = a.firstIndex(where: { $0 != 0 }), let degree = a.lastIndex(where: { $0 != 0 }) else { return Number(1) }
        let (whole, rest) = (pair.x2 / pair.x1, (Number(1) + pair.x2) / (Number(1) + pair.x1))
        var result = Number(1)
        for _ in 0..<lowest { result = result * whole }
        for _ in lowest..<degree { result = result * rest }
        return result
    }
}
