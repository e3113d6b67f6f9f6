import LinearAlgebra

/// A pair in the numbers of which closed duals are made, in float64 or in twice its digits: x_i = scale q_i with a factor of the activation.
///
/// With g_i = 1 / (1 + x_i) no product of two large or two small variances is formed anywhere.
struct CorrelatedPair<Number: DualNumber> {
    /// x and √|x|.
    let x1, x2, y1, y2: Number
    /// √x1 − √x2.
    let rootDifference: Number
    /// 1 − c and 1 + c.
    let below, above: Number
    let cosine: Number

    /// √|x1 x2| c.
    var covariance: Number { y1 * y2 * cosine }
}

extension CorrelatedPair {
    /// g_i = 1 / (1 + x_i), ŷ_i = √(x_i g_i), ρ = ŷ1 ŷ2 c and s = √(1 − ρ²), with 1 − ρ² = g1 + g2 − g1 g2 + x̂1 x̂2 (1 − c²).
    struct Bounded {
        let g1, g2, y1, y2, rho, s: Number

        /// √(g1 g2) / s, which is 1 / √((1 + x1)(1 + x2) − x1 x2 c²).
        var inverseRoot: Number { g1.squareRoot() * g2.squareRoot() / s }
    }

    var bounded: Bounded {
        let one = Number(1)
        let (g1, g2) = (one / (one + x1), one / (one + x2))
        let (h1, h2) = (x1 * g1, x2 * g2)
        let square = (g1 + (g2 - g1 * g2)) + h1 * h2 * (below * above)
        let (root1, root2) = (y1 * g1.squareRoot(), y2 * g2.squareRoot())
        return Bounded(g1: g1, g2: g2, y1: root1, y2: root2, rho: root1 * root2 * cosine, s: square.squareRoot())
    }

    /// A point with itself: c = 1.
    func own(second: Bool) -> CorrelatedPair {
        let (x, y) = second ? (x2, y2) : (x1, y1)
        return CorrelatedPair(x1: x, x2: x, y1: y, y2: y, rootDifference: Number(0), below: Number(0), above: Number(2), cosine: Number(1))
    }
}

extension CorrelatedPair where Number == Double {
    init(_ pair: GaussianPair, root: Double) {
        y1 = root * pair.a1
        y2 = root * pair.a2
        x1 = y1 * y1
        x2 = y2 * y2
        rootDifference = root * pair.rootDifference
        (below, above, cosine) = (pair.below, pair.above, pair.cosine)
    }
}

extension CorrelatedPair where Number == DoubleDouble {
    /// For gaps only: variances beyond some size, and below some, make no difference there but for their ratio, which is kept where both are so
    /// large or so small. They are moved to where no product leaves the range of numbers.
    init(_ pair: GaussianPair, root: Double) {
        let square = DoubleDouble(product: root, root)
        let (small, large) = (root * pair.a1, root * pair.a2)
        // By how much both are moved, and then the larger one alone.
        let both = small > 1e50 ? (1e50 / small).squared : large < 1e-40 && large > 0 ? (1e-40 / large).squared : 1
        let moved = large * both.squareRoot()
        let cut = moved > 1e60 ? (1e60 / moved).squared : 1
        func raised(_ x: DoubleDouble) -> DoubleDouble { x.double < 1e-120 ? DoubleDouble(1e-120) : x }
        let first = DoubleDouble(pair.q1)
        var second = DoubleDouble(pair.q2)
        if let known = pair.knownDifference, abs(known) < 0.1 {
            second = first * (DoubleDouble(1) - DoubleDouble(known)) / (DoubleDouble(1) + DoubleDouble(known))
        }
        x1 = raised((first * DoubleDouble(both)) * square)
        x2 = raised((second * DoubleDouble(both * cut)) * square)
        y1 = x1.squareRoot()
        y2 = x2.squareRoot()
        rootDifference = (x1 - x2) / (y1 + y2)
        let (near, far) = (DoubleDouble(pair.near), DoubleDouble(sum: 2, -pair.near))
        below = pair.isFar ? far : near
        above = pair.isFar ? near : far
        cosine = DoubleDouble(1) - below
    }
}
