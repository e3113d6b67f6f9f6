internal import Activations
import Glibc

/// Averages over s(u) = a erf(b u), in closed form but for ⟨s s s s⟩, which is one integral of a closed form.
///
/// d ∝ exp(−b² u²): a factor of it changes the covariance of the Gaussian, K⁻¹ → K⁻¹ + 2 b², under which ⟨erf erf⟩ = 2/π asin(…) (Williams 1997).
/// ⟨s s s s⟩ has no closed form; by Price's theorem its derivative by c has, and is integrated from c = 0 (Plackett 1954).
struct ErfMoments: Sendable {
    let a: Double
    let b: Double

    /// Nodes of the integral, on φ with c = ½ √((1 + 2 q1)(1 + 2 q2)) sin φ.
    private static let rule = GaussLegendre(40)

    func point(_ q: Double) -> PointMoments {
        let unit = Self.pair(b * b * q, b * b * q, b * b * q)
        let (q, square, scale, slope) = (b * b * q, b * b, a * a, a * a * b * b)
        // On the diagonal E f(u, u): derivatives by q1, c and q2 together.
        let p = 1 + 4 * q
        let (root, factor) = (p.squareRoot(), 1 / (1 + 2 * q))
        // ⟨erf²⟩ = 2/π asin(2q/(1 + 2q)), ⟨erf'²⟩ = 4/π (1 + 4q)^−½.
        let first = 4 / .pi * factor / root
        let second = -4 / .pi * (2 * factor * factor / root + 2 * factor / (root * p))
        return PointMoments(
            q: q / square, ss: (scale * unit.ss.value, scale * square * first, scale * square * square * second),
            dd: (slope * 4 / .pi / root, slope * square * -8 / .pi / (p * root), slope * square * square * 48 / .pi / (p * p * root)),
            slope: scale * square * first, s4: scale * scale * unit.ssss[0, 2], s2d2: scale * slope * unit.ssdd[1, 1],
            d4: slope * slope * unit.dddd[0, 2])
    }

    func pair(_ q1: Double, _ c: Double, _ q2: Double) -> PairMoments {
        let square = b * b
        var moments = Self.pair(square * q1, square * c, square * q2)
        func scale(_ dual: inout DualDerivatives, _ factor: Double) {
            dual.value *= factor
            dual.gradient *= factor * square
            let second = factor * square * square
            dual.hessian = (
                dual.hessian.0 * second, dual.hessian.1 * second, dual.hessian.2 * second, dual.hessian.3 * second, dual.hessian.4 * second,
                dual.hessian.5 * second
            )
        }
        scale(&moments.ss, a * a)
        scale(&moments.dd, a * a * square)
        // d = a b erf'(b u), and its derivative has another b.
        let slope = a * a * square
        moments.first = (moments.first.0 * slope, moments.first.1 * slope)
        moments.second = (moments.second.0 * slope, moments.second.1 * slope)
        let fourth = a * a * a * a
        moments.ssss *= fourth
        moments.ssdd *= fourth * square
        moments.dddd *= fourth * square * square
        return moments
    }

    /// Of erf(u) itself.
    private static func pair(_ q1: Double, _ c: Double, _ q2: Double) -> PairMoments {
        var moments = PairMoments()
        let (p1, p2) = (1 + 2 * q1, 1 + 2 * q2)
        let g = determinant(q1, c, q2, 2, 2)
        let root = g.squareRoot()
        let quarter = 4 / Double.pi
        moments.ss.value = covariance(q1, c, q2)
        moments.dd.value = quarter / root
        // g by q1, c, q2.
        let slopes = PairVector(2 * p2, -8 * c, 2 * p1, 0)
        moments.dd.gradient = -0.5 * quarter / (root * g) * slopes
        func second(_ i: Int, _ j: Int, _ curvature: Double) -> Double {
            quarter * (0.75 * slopes[i] * slopes[j] / g - 0.5 * curvature) / (root * g)
        }
        moments.dd.hessian = (second(0, 0, 0), second(0, 1, 0), second(0, 2, 4), second(1, 1, -8), second(1, 2, 0), second(2, 2, 0))
        moments.ss.gradient = PairVector(-quarter * c / (p1 * root), moments.dd.value, -quarter * c / (p2 * root), 0)
        moments.ss.hessian = (
            quarter * c * (2 / (p1 * p1 * root) + p2 / (p1 * root * g)), moments.dd.gradient[0], quarter * c / (root * g), moments.dd.gradient[1],
            moments.dd.gradient[2], quarter * c * (2 / (p2 * p2 * root) + p1 / (p2 * root * g))
        )
        moments.first = (moments.dd.value, 2 * moments.ss.gradient[2])
        moments.second = (2 * moments.ss.gradient[0], moments.dd.value)

        let tilts = [tilted(q1, c, q2, 2, 0), tilted(q1, c, q2, 1, 1), tilted(q1, c, q2, 0, 2)]
        for (column, tilt) in tilts.enumerated() {
            let factor = quarter / tilt.root
            moments.ssdd[0, column] = factor * covariance(tilt.q1, tilt.q1, tilt.q1)
            moments.ssdd[1, column] = factor * covariance(tilt.q1, tilt.c, tilt.q2)
            moments.ssdd[2, column] = factor * covariance(tilt.q2, tilt.q2, tilt.q2)
        }
        for (index, counts) in [(0, (3.0, 1.0)), (1, (2.0, 2.0)), (2, (1.0, 3.0))] {
            let value = quarter * quarter / determinant(q1, c, q2, 2 * counts.0, 2 * counts.1).squareRoot()
            switch index {
            case 0: moments.dddd[0, 1] = value
            case 1: moments.dddd[0, 2] = value
            default: moments.dddd[1, 2] = value
            }
        }
        setFourth(&moments, q1, c, q2)
        return moments
    }

    private static func setFourth(_ moments: inout PairMoments, _ q1: Double, _ c: Double, _ q2: Double) {
        let half = ((1 + 2 * q1) * (1 + 2 * q2)).squareRoot() / 2
        let end = asin(max(-1, min(1, c / half)))
        var sums = (0.0, 0.0, 0.0)
        for (node, weight) in zip(rule.nodes, rule.weights) {
            let here = half * sin(end * node)
            let tilt = tilted(q1, here, q2, 1, 1)
            // dc / √det = dφ / 2.
            let factor = weight * end / 2 * 4 / .pi
            sums.0 += factor * covariance(tilt.q1, tilt.q1, tilt.q1)
            sums.1 += factor * covariance(tilt.q1, tilt.c, tilt.q2)
            sums.2 += factor * covariance(tilt.q2, tilt.q2, tilt.q2)
        }
        moments.ssss[0, 1] = 3 * sums.0
        moments.ssss[0, 2] = covariance(q1, q1, q1) * covariance(q2, q2, q2) + 4 * sums.1
        moments.ssss[1, 2] = 3 * sums.2
    }

    /// ⟨erf(u) erf(v)⟩.
    private static func covariance(_ q1: Double, _ c: Double, _ q2: Double) -> Double {
        // atan2 keeps the digits that asin loses near ±1.
        let rest = max(determinant(q1, c, q2, 2, 2), 0).squareRoot()
        return 2 / .pi * atan2(2 * c, rest)
    }

    /// det(1 + K diag(t1, t2)).
    private static func determinant(_ q1: Double, _ c: Double, _ q2: Double, _ t1: Double, _ t2: Double) -> Double {
        1 + t1 * q1 + t2 * q2 + t1 * t2 * (q1 * q2 - c * c)
    }

    /// (K⁻¹ + diag(2 n1, 2 n2))⁻¹ and √det(1 + K diag(2 n1, 2 n2)), the factor that exp(−n1 u² − n2 v²) leaves.
    private static func tilted(
        _ q1: Double, _ c: Double, _ q2: Double, _ n1: Double, _ n2: Double
    ) -> (q1: Double, c: Double, q2: Double, root: Double) {
        let t = determinant(q1, c, q2, 2 * n1, 2 * n2)
        let rest = q1 * q2 - c * c
        return ((q1 + 2 * n2 * rest) / t, c / t, (q2 + 2 * n1 * rest) / t, t.squareRoot())
    }
}
