/// Entries of a symmetric matrix over a pair of inputs (α, β) in the order αα, αβ, ββ; the fourth is 0.
typealias PairVector = SIMD4<Double>

/// A matrix over such entries, or over ordered index pairs (a, c) in the order αα, αβ, βα, ββ: element [4 · row + column].
typealias PairMatrix = SIMD16<Double>

extension SIMD16<Double> {
    subscript(row: Int, column: Int) -> Double {
        get { self[4 * row + column] }
        set { self[4 * row + column] = newValue }
    }
}

/// E f(u, v) of (u, v) ~ N(0, [[q1, c], [c, q2]]) with its derivatives by (q1, c, q2).
///
/// By Price's theorem ½ Σ M_pq ⟨∂_p ∂_q f⟩ is the derivative along a symmetric M, and ⅛ Σ V_pqrs ⟨∂_p ∂_q ∂_r ∂_s f⟩ half of the second
/// derivative contracted with V: a covariance that fluctuates needs no derivative of f.
struct DualDerivatives: Sendable {
    var value = 0.0
    /// By q1, c, q2.
    var gradient = PairVector.zero
    /// By q1 q1, q1 c, q1 q2, c c, c q2, q2 q2.
    var hessian: (Double, Double, Double, Double, Double, Double) = (0, 0, 0, 0, 0, 0)

    /// Σ hessian_kl V_kl.
    func contracted(_ v: PairMatrix) -> Double {
        hessian.0 * v[0, 0] + hessian.3 * v[1, 1] + hessian.5 * v[2, 2] + 2 * (hessian.1 * v[0, 1] + hessian.2 * v[0, 2] + hessian.4 * v[1, 2])
    }
}

/// Averages of a function s, its derivative d and their products over one pre-activation u ~ N(0, q).
struct PointMoments: Sendable {
    var q = 0.0
    /// ⟨s²⟩ and its first and second derivative by q.
    var ss = (0.0, 0.0, 0.0)
    /// ⟨d²⟩ likewise.
    var dd = (0.0, 0.0, 0.0)
    /// ⟨(s d)'⟩.
    var slope = 0.0
    var s4 = 0.0
    var s2d2 = 0.0
    var d4 = 0.0
}

/// The same over two pre-activations (u, v) ~ N(0, K).
struct PairMoments: Sendable {
    /// ⟨s(u) s(v)⟩ and ⟨d(u) d(v)⟩.
    var ss = DualDerivatives()
    var dd = DualDerivatives()
    /// ⟨∂_u (s(u) d(v))⟩ and ⟨∂_v (s(u) d(v))⟩.
    var first = (0.0, 0.0)
    /// ⟨∂_u (s(v) d(u))⟩ and ⟨∂_v (s(v) d(u))⟩.
    var second = (0.0, 0.0)
    /// ⟨s_a s_b s_c s_e⟩, ⟨s_a s_b d_c d_e⟩ and ⟨d_a d_b d_c d_e⟩ by (ab, ce).
    var ssss = PairMatrix.zero
    var ssdd = PairMatrix.zero
    var dddd = PairMatrix.zero
    /// How far the averages may be off, relative to the largest of their kind.
    var error = 0.0

    /// Takes what belongs to one point alone.
    mutating func setCorners(_ one: PointMoments, _ two: PointMoments) {
        ssss[0, 0] = one.s4
        ssss[2, 2] = two.s4
        ssdd[0, 0] = one.s2d2
        ssdd[2, 2] = two.s2d2
        dddd[0, 0] = one.d4
        dddd[2, 2] = two.d4
        ssss[2, 0] = ssss[0, 2]
        ssss[1, 0] = ssss[0, 1]
        ssss[2, 1] = ssss[1, 2]
        ssss[1, 1] = ssss[0, 2]
        dddd[2, 0] = dddd[0, 2]
        dddd[1, 0] = dddd[0, 1]
        dddd[2, 1] = dddd[1, 2]
        dddd[1, 1] = dddd[0, 2]
    }
}
