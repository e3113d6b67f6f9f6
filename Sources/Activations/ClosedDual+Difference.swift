import Glibc

extension ClosedDual {
    /// (κ11 − κ22) / (κ11 + κ22), to a relative accuracy of some ε where that of the variances is known so well.
    /// - Parameters:
    ///   - kappa1: κ11.
    ///   - kappa2: κ22.
    package func difference(_ pair: GaussianPair, _ kappa1: Double, _ kappa2: Double) -> Double {
        let sum = pair.q1 / 2 + pair.q2 / 2
        guard sum > 0 else { return 0 }
        let known = pair.knownDifference ?? (pair.q1 / 2 - pair.q2 / 2) / sum
        // Numbers that differ so much tell their difference themselves.
        guard abs(known) < 0.1 else { return kappa1 + kappa2 > 0 ? (kappa1 - kappa2) / (kappa1 + kappa2) : 0 }
        /// Of qⁿ.
        func power(_ n: Int) -> Double { tanh(Double(n) * atanh(known)) }
        switch activation {
        case .abRelu, .expNormalized: return known
        case .sign: return 0
        case .rectifiedMonomial(let n), .hermite(let n), .monomial(let n): return power(n)
        case .exp(_, let b): return tanh(2 * (b * (known * sum) * b))
        case .gaussian(_, let b):
            // κ is as (1 + 2 x)^(−1/2) with x = −2 b q.
            return tanh(-0.25 * log1p(2 * (-4 * b * known * sum) / (1 - 4 * b * pair.q2)))
        case .erf, .gelu, .sin, .cos, .gabor, .polynomial:
            guard let (first, second) = exactVariances(pair) else { return known }
            let total = (first + second).double
            return total > 0 ? (first - second).double / total : 0
        default: return known
        }
    }
}
