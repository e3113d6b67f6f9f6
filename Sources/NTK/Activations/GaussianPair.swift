/// Two Gaussian numbers (u, v) of mean zero, as an activation's dual is given them.
///
/// Held so that no quantity of nearly coincident or antipodal pairs has to be formed by a difference of nearly equal numbers.
package struct GaussianPair {
    /// E u² and E v²; q1 ≤ q2, so that a pair and its mirror image give the same bits.
    let q1, q2: Double
    /// √q1 and √q2.
    let a1, a2: Double
    /// The gap 1 − |c| of the correlation c.
    let near: Double
    /// c < 0.
    let isFar: Bool
    /// (q1 − q2) / (q1 + q2), where it is known better than q1 and q2 tell: to a relative accuracy of some ε.
    let knownDifference: Double?

    /// - Parameters:
    ///   - gap: of the correlation, with the sign for the side, see `dual_activations.h`.
    ///   - knownDifference: (first − second) / (first + second).
    init(_ first: Double, _ second: Double, gap: Double, knownDifference: Double?) {
        let isOrdered = first < second || (first == second && (knownDifference ?? 0) <= 0)
        (q1, q2) = isOrdered ? (first, second) : (second, first)
        (a1, a2) = (q1.squareRoot(), q2.squareRoot())
        // A zero vector has no direction.
        near = q1 > 0 ? abs(gap) : 1
        isFar = q1 > 0 && gap.sign == .minus
        self.knownDifference = knownDifference.map { isOrdered ? $0 : -$0 }
    }

    /// √(q1 q2).
    var product: Double { a1 * a2 }
    /// c, to an absolute accuracy of ε.
    var cosine: Double { isFar ? near - 1 : 1 - near }
    /// E u v = √(q1 q2) c.
    var covariance: Double { product * cosine }
    /// 1 − c and 1 + c.
    var below: Double { isFar ? 2 - near : near }
    var above: Double { isFar ? near : 2 - near }
    /// √q1 − √q2.
    var rootDifference: Double {
        guard let knownDifference, q2 > 0 else { return a1 == a2 ? 0 : (q1 - q2) / (a1 + a2) }
        return knownDifference * (q1 / (a1 + a2) + q2 / (a1 + a2))
    }
    /// E (u − v)².
    var distance: Double { rootDifference.squared + 2 * (product * below) }
    /// E (u + v)².
    var farDistance: Double { rootDifference.squared + 2 * (product * above) }
}

/// What an activation makes of a pair.
package struct DualPair {
    /// κ = E φ(u) φ(v).
    var covariance: Double
    /// κ̇ = E φ'(u) φ'(v).
    var derivative: Double
    /// Of c' = κ / √(κ11 κ22): 1 − c', or −(1 + c') where c' < 0; to a relative accuracy of some ε where the duals keep it.
    var gap: Double

    init(covariance: Double, derivative: Double, gap: Double) {
        self.covariance = covariance
        self.derivative = derivative
        self.gap = gap
    }

    /// The gap is taken from the covariance, to an absolute accuracy of ε: for pairs that do not nearly coincide.
    init(covariance: Double, derivative: Double, roots: Double) {
        self.init(covariance: covariance, derivative: derivative, gap: Self.gap(cosine: roots > 0 ? covariance / roots : 0))
    }

    /// 1 − c or −(1 + c), whichever is smaller in magnitude.
    static func gap(cosine c: Double) -> Double {
        // Not `max`, which would drop a NaN.
        let near = 1 - abs(c) < 0 ? 0 : 1 - abs(c)
        return c.sign == .minus ? -near : near
    }
}
