import Glibc

/// Averages over s(u) = a min(u, 0) + b max(u, 0), in closed form: on each quadrant a product of s and d is a monomial.
///
/// With θ the angle between the inputs, E[uⁱ vʲ; u > 0, v > 0] of unit variances follows from Stein's identity; the boundary terms are those of
/// Cho & Saul 2009. With D = (a − b)²/2π and w = √(q1 q2 − c²),
///
///     ⟨d d⟩ = (a² + b²)/2 − D θ,   ∂θ/∂c = −1/w,   ∂⟨s s⟩/∂c = ⟨d d⟩,   ∂⟨s s⟩/∂q1 = D w / 2 q1.
///
/// Where the inputs are parallel every finite network sees them so (θ stays 0): derivatives along θ are left out there, and c follows q1 and q2.
struct HomogeneousMoments: Sendable {
    let a: Double
    let b: Double

    /// Angles below this one count as 0: the terms along θ grow as θ⁻³ and cancel to O(θ).
    static let smallestSine = 1e-4

    func point(_ q: Double) -> PointMoments {
        let (square, fourth) = ((a * a + b * b) / 2, (a * a * a * a + b * b * b * b) / 2)
        return PointMoments(
            q: q, ss: (square * q, square, 0), dd: (square, 0, 0), slope: square, s4: 3 * fourth * q * q, s2d2: fourth * q, d4: fourth)
    }

    func pair(_ q1: Double, _ c: Double, _ q2: Double) -> PairMoments {
        var moments = PairMoments()
        let root = (q1 * q2).squareRoot()
        guard root > 0 else { return moments }
        let cosine = max(-1, min(1, c / root))
        let sine = ((1 - cosine) * (1 + cosine)).squareRoot()
        let isParallel = sine < Self.smallestSine
        let theta = isParallel ? (cosine > 0 ? 0 : Double.pi) : atan2(sine, cosine)
        let near = Quadrant(theta)
        let far = Quadrant(.pi - theta)
        func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { product, _ in product * x } }
        /// ⟨s(u)^i s(v)^j d(u)^k d(v)^m⟩.
        func product(_ i: Int, _ j: Int, _ k: Int, _ m: Int) -> Double {
            let (up, vp, um, vm) = (power(b, i + k), power(b, j + m), power(a, i + k), power(a, j + m))
            let (here, there) = (near.moment(i, j), far.moment(i, j))
            let signs = ((j % 2 == 0 ? 1.0 : -1), (i % 2 == 0 ? 1.0 : -1))
            let sum = (up * vp + um * vm) * here + (signs.0 * up * vm + signs.1 * um * vp) * there
            return sum * power(q1.squareRoot(), i) * power(q2.squareRoot(), j)
        }
        moments.ss.value = product(1, 1, 0, 0)
        moments.dd.value = product(0, 0, 1, 1)
        if isParallel {
            setParallel(&moments, q1, q2)
            // What is left out is of the order of the angle.
            moments.error = sine > 1e-7 ? sine : 0
        } else {
            setDerivatives(&moments, q1, c, q2, root * sine)
            moments.error = 0x1p-52 / (sine * sine * sine)
        }
        moments.ssss[0, 1] = product(3, 1, 0, 0)
        moments.ssss[0, 2] = product(2, 2, 0, 0)
        moments.ssss[1, 2] = product(1, 3, 0, 0)
        moments.dddd[0, 1] = product(0, 0, 3, 1)
        moments.dddd[0, 2] = product(0, 0, 2, 2)
        moments.dddd[1, 2] = product(0, 0, 1, 3)
        moments.ssdd[0, 1] = product(2, 0, 1, 1)
        moments.ssdd[0, 2] = product(2, 0, 0, 2)
        moments.ssdd[1, 0] = product(1, 1, 2, 0)
        moments.ssdd[1, 1] = product(1, 1, 1, 1)
        moments.ssdd[1, 2] = product(1, 1, 0, 2)
        moments.ssdd[2, 0] = product(0, 2, 2, 0)
        moments.ssdd[2, 1] = product(0, 2, 1, 1)
        return moments
    }

    private func setDerivatives(_ moments: inout PairMoments, _ q1: Double, _ c: Double, _ q2: Double, _ w: Double) {
        let dot = moments.dd.value
        let scale = (a - b) * (a - b) / (2 * .pi)
        guard scale > 0 else {
            moments.ss.gradient = PairVector(0, dot, 0, 0)
            (moments.first, moments.second) = ((dot, 0), (0, dot))
            return
        }
        let (square, product) = (w * w, q1 * q2)
        moments.ss.gradient = PairVector(scale * w / (2 * q1), dot, scale * w / (2 * q2), 0)
        moments.dd.gradient = PairVector(-scale * c / (2 * q1 * w), scale / w, -scale * c / (2 * q2 * w), 0)
        moments.ss.hessian = (
            scale * (product - 2 * square) / (4 * w * q1 * q1), moments.dd.gradient[0], scale / (4 * w), scale / w, moments.dd.gradient[2],
            scale * (product - 2 * square) / (4 * w * q2 * q2)
        )
        let cube = square * w
        moments.dd.hessian = (
            scale * c * (2 * square + product) / (4 * q1 * q1 * cube), -scale * q2 / (2 * cube), scale * c / (4 * cube), scale * c / cube,
            -scale * q1 / (2 * cube), scale * c * (2 * square + product) / (4 * q2 * q2 * cube)
        )
        moments.first = (dot, 2 * moments.ss.gradient[2])
        moments.second = (2 * moments.ss.gradient[0], dot)
    }

    /// v = ±t u in every network: ⟨s s⟩ = m √(q1 q2), and ⟨d d⟩ is constant.
    private func setParallel(_ moments: inout PairMoments, _ q1: Double, _ q2: Double) {
        let value = moments.ss.value
        moments.ss.gradient = PairVector(value / (2 * q1), 0, value / (2 * q2), 0)
        moments.ss.hessian = (-value / (4 * q1 * q1), 0, value / (4 * q1 * q2), 0, 0, -value / (4 * q2 * q2))
        moments.first = (moments.dd.value, 0)
        moments.second = (0, moments.dd.value)
    }

    /// E[uⁱ vʲ; u > 0, v > 0] of unit variances at an angle, for i + j = 0, 2 or 4.
    private struct Quadrant {
        let zero: Double
        let (two, mixed): (Double, Double)
        let (four, three, square): (Double, Double, Double)

        init(_ theta: Double) {
            let (sine, cosine, rest) = (theta == 0 || theta == .pi ? 0 : sin(theta), cos(theta), .pi - theta)
            zero = rest / (2 * .pi)
            two = (rest + sine * cosine) / (2 * .pi)
            mixed = (sine + rest * cosine) / (2 * .pi)
            four = 3 * two + cosine * sine * sine * sine / .pi
            three = 2 * mixed + cosine * two
            square = two + 2 * cosine * mixed
        }

        func moment(_ i: Int, _ j: Int) -> Double {
            switch (i, j) {
            case (0, 0): zero
            case (1, 1): mixed
            case (2, 0), (0, 2): two
            case (2, 2): square
            case (3, 1), (1, 3): three
            default: four
            }
        }
    }
}
