/// The first order in 1/n of the NNGP K̂ and the NTK Θ̂ of a random network, for a pair of inputs α, β.
///
/// With Ω_ab = λ_W s_a s_b + C_W Θ_ab d_a d_b and Gaussian averages ⟨·⟩ over N(0, K), the coefficients of 1/n of one layer follow from those
/// before it (Roberts, Yaida, Hanin 2021, arXiv 2106.10165, ch. 4 and 8; the mean of Θ̂ as in Guillen, Misof, Gerken, arXiv 2508.11522):
///
///     V_abce  = Cov(K̂_ab, K̂_ce)             D_abce = Cov(K̂_ab, Θ̂_ce)           A_abce = Cov(Θ̂_ab, Θ̂_ce) of different neurons
///     F_acbe  = E z_i,a z_j,b Θ̂_ij,ce        B_acbe = E Θ̂_ij,ab Θ̂_ij,ce (i ≠ j)
///
/// They close on the pair, so that one entry of a kernel takes 2 × 2 objects. A tensor of pairs ab is held by rows αα, αβ, ββ; F and B by
/// (a, c) and (b, e). Everything is O(1) a layer beside the averages.
struct PairRecursion: Sendable {
    private(set) var k: PairVector
    private(set) var theta: PairVector
    private(set) var k1 = PairVector.zero
    private(set) var theta1 = PairVector.zero
    private(set) var v = PairMatrix.zero
    private(set) var d = PairMatrix.zero
    private(set) var a = PairMatrix.zero
    private(set) var f = PairMatrix.zero
    private(set) var b = PairMatrix.zero

    /// - Parameter products: ⟨x_a, x_b⟩ / n_0.
    init(products: PairVector, _ weights: AffineWeights) {
        let ones = PairVector(1, 1, 1, 0)
        k = weights.weightVariance * products + weights.biasVariance * ones
        theta = weights.weightRate * products + weights.biasRate * ones
    }

    /// Values, gradients and second derivatives of the three averages of one kind.
    private struct Triple {
        var values: PairVector
        var gradients: (PairVector, PairVector, PairVector)
        /// Second derivatives contracted with V, and halved.
        var curvatures: PairVector

        init(_ one: (Double, Double, Double), _ pair: DualDerivatives, _ two: (Double, Double, Double), _ v: PairMatrix) {
            values = PairVector(one.0, pair.value, two.0, 0)
            gradients = (PairVector(one.1, 0, 0, 0), pair.gradient, PairVector(0, 0, two.1, 0))
            curvatures = 0.5 * PairVector(one.2 * v[0, 0], pair.contracted(v), two.2 * v[2, 2], 0)
        }

        init(_ ss: Triple, _ rate: Double, _ dd: Triple, _ factors: PairVector) {
            values = rate * ss.values + factors * dd.values
            gradients = (
                rate * ss.gradients.0 + factors[0] * dd.gradients.0, rate * ss.gradients.1 + factors[1] * dd.gradients.1,
                rate * ss.gradients.2 + factors[2] * dd.gradients.2
            )
            curvatures = rate * ss.curvatures + factors * dd.curvatures
        }

        /// Σ_k gradient_ik x_k.
        func along(_ x: PairVector) -> PairVector {
            PairVector((gradients.0 * x).sum(), (gradients.1 * x).sum(), (gradients.2 * x).sum(), 0)
        }

        /// Σ_k gradient_ik m_kj.
        func along(_ m: PairMatrix) -> PairMatrix {
            var result = PairMatrix.zero
            for j in 0..<3 {
                let column = along(PairVector(m[0, j], m[1, j], m[2, j], 0))
                for i in 0..<3 { result[i, j] = column[i] }
            }
            return result
        }
    }

    private static func transposed(_ m: PairMatrix) -> PairMatrix {
        var result = PairMatrix.zero
        for i in 0..<4 { for j in 0..<4 { result[i, j] = m[j, i] } }
        return result
    }

    private static func outer(_ x: PairVector, _ y: PairVector) -> PairMatrix {
        var result = PairMatrix.zero
        for i in 0..<4 { for j in 0..<4 { result[i, j] = x[i] * y[j] } }
        return result
    }

    /// Repeats each row's factor.
    private static func rows(_ x: PairVector) -> PairMatrix { outer(x, PairVector(repeating: 1)) }
    private static func columns(_ x: PairVector) -> PairMatrix { outer(PairVector(repeating: 1), x) }

    /// - Parameter ratio: the width of the hidden layer in units of n.
    mutating func step(_ weights: AffineWeights, _ one: PointMoments, _ m: PairMoments, _ two: PointMoments, ratio: Double) {
        let (c, rate) = (weights.weightVariance, weights.weightRate)
        let square = c * c
        let s = Triple(one.ss, m.ss, two.ss, v)
        let q = Triple(one.dd, m.dd, two.dd, v)
        let factors = c * theta
        let omega = Triple(s, rate, q, factors)
        let sOmega = rate * m.ssss + m.ssdd * Self.columns(factors)
        let crossed = m.ssdd * Self.columns(factors)
        let omega2 = rate * rate * m.ssss + rate * (crossed + Self.transposed(crossed)) + m.dddd * Self.outer(factors, factors)

        let newTheta1 = omega.along(k1) + omega.curvatures + c * (tangent(q) + q.values * theta1)
        let newK1 = c * (s.along(k1) + s.curvatures)

        let vOmega = Self.transposed(omega.along(v))
        let mixed = c * omega.along(d) * Self.columns(q.values)
        let newA =
            (omega2 - Self.outer(omega.values, omega.values)) * (1 / ratio) + omega.along(vOmega) + mixed + Self.transposed(mixed)
            + square * Self.outer(q.values, q.values) * a
        let newD =
            c * ((sOmega - Self.outer(s.values, omega.values)) * (1 / ratio) + s.along(vOmega)) + square * s.along(d) * Self.columns(q.values)
        let newV =
            square * ((m.ssss - Self.outer(s.values, s.values)) * (1 / ratio) + s.along(Self.transposed(s.along(v))))
        stepNeurons(m, one, two, q.values, square, ratio)
        (v, d, a, k1, theta1) = (newV, newD, newA, newK1, newTheta1)
        k = weights.biasVariance * PairVector(1, 1, 1, 0) + c * s.values
        theta = weights.biasRate * PairVector(1, 1, 1, 0) + omega.values
    }

    /// ½⟨∂_p ∂_q d_a d_b⟩ D_pq,ab + ⟨∂_p ∂_q d_a d_b⟩ F_pa,qb.
    private func tangent(_ q: Triple) -> PairVector {
        /// ∂_p ∂_q of the entry ab with a matrix over (p, q): 2 ∂_{q1}, ∂_c twice, 2 ∂_{q2}.
        func along(_ gradient: PairVector, _ a: Int, _ b: Int) -> Double {
            let entries = PairVector(2 * f[a, b], f[a, 2 + b] + f[2 + a, b], 2 * f[2 + a, 2 + b], 0)
            return (gradient * entries).sum()
        }
        func diagonal(_ gradient: PairVector, _ column: Int) -> Double {
            (gradient * PairVector(d[0, column], d[1, column], d[2, column], 0)).sum()
        }
        return PairVector(
            diagonal(q.gradients.0, 0) + along(q.gradients.0, 0, 0), diagonal(q.gradients.1, 1) + along(q.gradients.1, 0, 1),
            diagonal(q.gradients.2, 2) + along(q.gradients.2, 1, 1), 0)
    }

    /// F and B, whose first two indices belong to one neuron and the others to another.
    private mutating func stepNeurons(
        _ m: PairMoments, _ one: PointMoments, _ two: PointMoments, _ dots: PairVector, _ square: Double, _ ratio: Double
    ) {
        // ⟨∂_p (s_a d_c)⟩ by (a, c).
        let slopes = [(one.slope, 0.0), m.first, m.second, (0, two.slope)]
        var (newF, newB) = (PairMatrix.zero, PairMatrix.zero)
        for left in 0..<4 {
            let (a, c) = (left / 2, left % 2)
            for right in 0..<4 {
                let (b, e) = (right / 2, right % 2)
                let (ab, ce) = (a + b, c + e)
                let (x, y) = (slopes[left], slopes[right])
                let carried =
                    x.0 * (f[c, e] * y.0 + f[c, 2 + e] * y.1) + x.1 * (f[2 + c, e] * y.0 + f[2 + c, 2 + e] * y.1)
                newF[left, right] = square * (m.ssdd[ab, ce] * theta[ce] / ratio + carried)
                newB[left, right] =
                    square * (m.dddd[ab, ce] * theta[ab] * theta[ce] / ratio + dots[a + c] * dots[b + e] * self.b[left, right])
            }
        }
        (f, b) = (newF, newB)
    }

    /// n Var Θ̂_αβ: of one output, and of the mean over `outputs`.
    func variance(outputs: Double) -> Double { a[1, 1] + (b[0, 3] + b[1, 2]) / outputs }

    /// n Cov(Θ̂_αα, Θ̂_ββ) likewise.
    func diagonalCovariance(outputs: Double) -> Double { a[0, 2] + 2 * b[1, 1] / outputs }
}
