import LinearAlgebra

/// Two Gaussian numbers (u, v) of mean zero, as an activation's dual is given them.
///
/// Held so that no quantity of nearly coincident or antipodal pairs has to be formed by a difference of nearly equal numbers.
package struct GaussianPair {
    /// E u² and E v²; q1 ≤ q2, so that a pair and its mirror image give the same bits.
    package let q1, q2: Double
    /// √q1 and √q2.
    package let a1, a2: Double
    /// The gap 1 − |c| of the correlation c.
    package let near: Double
    /// c < 0.
    package let isFar: Bool
    /// (q1 − q2) / (q1 + q2), where it is known better than q1 and q2 tell: to a relative accuracy of some ε.
    package let knownDifference: Double?

    /// - Parameters:
    ///   - gap: of the correlation, with the sign for the side, see `dual_activations.h`.
    ///   - knownDifference: (first − second) / (first + second).
    package init(_ first: Double, _ second: Double, gap: Double, knownDifference: Double?) {
        let isOrdered = first < second || (first == second && (knownDifference ?? 0) <= 0)
        (q1, q2) = isOrdered ? (first, second) : (second, first)
        (a1, a2) = (q1.squareRoot(), q2.squareRoot())
        // A zero vector has no direction.
        near = q1 > 0 ? abs(gap) : 1
        isFar = q1 > 0 && gap.sign == .minus
        self.knownDifference = knownDifference.map { isOrdered ? $0 : -$0 }
    }

    /// √(q1 q2).
    package var product: Double { a1 * a2 }
    /// c, to an absolute accuracy of ε.
    package var cosine: Double { isFar ? near - 1 : 1 - near }
    /// E u v = √(q1 q2) c.
    package var covariance: Double { product * cosine }
    /// 1 − c and 1 + c.
    package var below: Double { isFar ? 2 - near : near }
    package var above: Double { isFar ? near : 2 - near }
    /// √q1 − √q2.
    package var rootDifference: Double {
        guard let knownDifference, q2 > 0 else { return a1 == a2 ? 0 : (q1 - q2) / (a1 + a2) }
        return knownDifference * (q1 / (a1 + a2) + q2 / (a1 + a2))
    }
    /// E (u − v)².
    package var distance: Double { rootDifference.squared + 2 * (product * below) }
    /// E (u + v)².
    package var farDistance: Double { rootDifference.squared + 2 * (product * above) }
}

/// What an activation makes of a pair.
package struct DualPair {
    /// κ = E φ(u) φ(v).
    package var covariance: Double
    /// κ̇ = E φ'(u) φ'(v).
    package var derivative: Double
    /// Of c' = κ / √(κ11 κ22): 1 − c', or −(1 + c') where c' < 0; to a relative accuracy of some ε where the duals keep it.
    package var gap: Double

    package init(covariance: Double, derivative: Double, gap: Double) {
        self.covariance = covariance
        self.derivative = derivative
        self.gap = gap
    }

    /// The gap is taken from the covariance, to an absolute accuracy of ε: for pairs that do not nearly coincide.
    package init(covariance: Double, derivative: Double, roots: Double) {
        self.init(covariance: covariance, derivative: derivative, gap: Self.gap(cosine: roots > 0 ? covariance / roots : 0))
    }

    /// 1 − c or −(1 + c), whichever is smaller in magnitude.
    package static func gap(cosine c: Double) -> Double {
        // Not `max`, which would drop a NaN.
        let near = 1 - abs(c) < 0 ? 0 : 1 - abs(c)
        return c.sign == .minus ? -near : near
    }
}
