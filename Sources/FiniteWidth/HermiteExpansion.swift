internal import Activations
import Glibc

/// A function s, its derivative d and their products of √q x in normalized Hermite polynomials of x ~ N(0, 1).
///
/// Averages over two points are then series in their correlation (Mehler): ⟨∂ⁱf(u) ∂ʲg(v)⟩ = Σ_l f_{l+i} g_{l+j} √((l+i)!/l! (l+j)!/l!) q1^−i/2
/// q2^−j/2 ρ^l. No derivative of s beyond d is taken, d only where it exists, and a singular K is as good as another.
struct HermiteExpansion: Sendable {
    /// Numbers of a term: derivatives 0 … 4 of s, of d, and s², s d, d², s³, s² d, s d², d³.
    static let stride = 20
    static let (s, d, square, mixed, slopes, cube, s2d, sd2, d3) = (0, 5, 10, 11, 12, 13, 14, 15, 16)

    let moments: PointMoments
    /// [terms, stride].
    let terms: [Double]
    let count: Int
    /// √⟨f²⟩ of s and d.
    let norms: (Double, Double)
    /// Whether what follows is below rounding at any correlation.
    let isComplete: Bool

    /// Whether all averages are finite, and the function falls within the nodes' reach.
    var isUsable: Bool {
        let numbers = [moments.ss.0, moments.ss.1, moments.ss.2, moments.dd.0, moments.dd.1, moments.dd.2, moments.s4, moments.s2d2, moments.d4]
        return reaches && numbers.allSatisfy(\.isFinite)
    }
    private let reaches: Bool

    private static let rule = GaussLegendre.order16
    private static let counts = [96, 256, 640]
    /// The largest derivative that is expanded.
    private static let order = 4

    init(_ function: ScalarFunction, q: Double) {
        let nodes = Nodes(function, root: q.squareRoot())
        moments = nodes.moments(q)
        reaches = nodes.reaches
        norms = (moments.ss.0.squareRoot(), moments.dd.0.squareRoot())
        var result: (terms: [Double], count: Int, isComplete: Bool) = ([], 0, false)
        for count in Self.counts {
            result = nodes.expand(count, q: q)
            if result.isComplete { break }
        }
        (terms, count, isComplete) = result
    }

    /// Values at nodes of a composite rule, times weights and density.
    private struct Nodes {
        var x: [Double] = []
        var weights: [Double] = []
        var values: [(Double, Double)] = []

        init(_ function: ScalarFunction, root: Double) {
            // The polynomials of degree 640 times the density are below 1e-20 beyond.
            let reach = 14.0
            var borders = Swift.stride(from: -reach, through: reach, by: 0.4).map { $0 } + [0, -0.1, 0.1, -0.05, 0.05, -0.2, 0.2, reach]
            if root > 0 { borders += function.kinks.map { $0 / root }.filter { abs($0) < reach } }
            borders.sort()
            for (start, end) in zip(borders, borders.dropFirst()) where end > start {
                for (node, weight) in zip(HermiteExpansion.rule.nodes, HermiteExpansion.rule.weights) {
                    let place = start + (end - start) * node
                    x.append(place)
                    weights.append((end - start) * weight * exp(-place * place / 2) / (2 * Double.pi).squareRoot())
                    values.append(function.evaluate(root * place))
                }
            }
        }

        /// Whether the outermost values carry nothing.
        var reaches: Bool {
            func size(_ k: Int) -> Double { weights[k] * max(pow(abs(values[k].0), 4), pow(abs(values[k].1), 4)) }
            let largest = x.indices.reduce(0) { max($0, size($1)) }
            return largest.isFinite && max(size(0), size(x.count - 1)) <= 1e-12 * largest || largest == 0
        }

        func moments(_ q: Double) -> PointMoments {
            var (s, d) = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
            var (slope, s4, s2d2, d4) = (0.0, 0.0, 0.0, 0.0)
            for ((x, weight), (value, derivative)) in zip(zip(x, weights), values) {
                let (square, slopes) = (value * value, derivative * derivative)
                let (second, fourth) = (x * x - 1, x * x * (x * x - 6) + 3)
                s = (s.0 + weight * square, s.1 + weight * square * second, s.2 + weight * square * fourth)
                d = (d.0 + weight * slopes, d.1 + weight * slopes * second, d.2 + weight * slopes * fourth)
                slope += weight * value * derivative * x
                s4 += weight * square * square
                s2d2 += weight * square * slopes
                d4 += weight * slopes * slopes
            }
            // Where q is 0 nothing fluctuates, and no derivative is asked for.
            let inverse = q > 0 ? 1 / q : 0
            return PointMoments(
                q: q, ss: (s.0, s.1 * inverse / 2, s.2 * inverse * inverse / 4), dd: (d.0, d.1 * inverse / 2, d.2 * inverse * inverse / 4),
                slope: slope * inverse.squareRoot(), s4: s4, s2d2: s2d2, d4: d4)
        }

        func expand(_ count: Int, q: Double) -> (terms: [Double], count: Int, isComplete: Bool) {
            let all = count + HermiteExpansion.order
            // Coefficients of the nine functions, [all, 9].
            var plain = [Double](repeating: 0, count: 9 * all)
            var before = [Double](repeating: 0, count: x.count)
            var now = [Double](repeating: 1, count: x.count)
            let products: [(SIMD8<Double>, Double)] = zip(weights, values).map { weight, pair in
                let (s, d) = pair
                return (weight * SIMD8(s, d, s * s, s * d, d * d, s * s * s, s * s * d, s * d * d), weight * d * d * d)
            }
            for l in 0..<all {
                var (sums, last) = (SIMD8<Double>.zero, 0.0)
                let (root, inverse) = (Double(l).squareRoot(), 1 / Double(l + 1).squareRoot())
                for k in x.indices {
                    let value = now[k]
                    sums += value * products[k].0
                    last += value * products[k].1
                    (before[k], now[k]) = (value, (x[k] * value - root * before[k]) * inverse)
                }
                for f in 0..<8 { plain[9 * l + f] = sums[f] }
                plain[9 * l + 8] = last
            }
            return assemble(plain, count, q)
        }

        private func assemble(_ plain: [Double], _ count: Int, _ q: Double) -> (terms: [Double], count: Int, isComplete: Bool) {
            var terms = [Double](repeating: 0, count: HermiteExpansion.stride * count)
            let inverse = q > 0 ? 1 / q.squareRoot() : 0
            var (largest, tail) = (0.0, 0.0)
            for l in 0..<count {
                let first = HermiteExpansion.stride * l
                var factor = 1.0
                for order in 0...HermiteExpansion.order {
                    if order > 0 { factor *= Double(l + order).squareRoot() * inverse }
                    terms[first + HermiteExpansion.s + order] = factor * plain[9 * (l + order)]
                    terms[first + HermiteExpansion.d + order] = factor * plain[9 * (l + order) + 1]
                }
                for f in 2..<9 { terms[first + HermiteExpansion.square + f - 2] = plain[9 * l + f] }
                // The second derivatives of d are what converges last among what is squared.
                let size = abs(terms[first + HermiteExpansion.d + 2]) + abs(terms[first + HermiteExpansion.square])
                largest = max(largest, size)
                if l >= count - 8 { tail = max(tail, size) }
            }
            return (terms, count, tail <= 1e-9 * largest)
        }
    }

    /// The averages over two points of correlation ρ. Time: 45 operations a term.
    static func pair(_ one: HermiteExpansion, _ two: HermiteExpansion, covariance c: Double) -> PairMoments {
        var moments = PairMoments()
        let root = (one.moments.q * two.moments.q).squareRoot()
        let rho = root > 0 ? max(-1, min(1, c / root)) : 0
        // Σ f_k g_k ρ^l over the terms of derivatives of s and of d: 00 11 22 20 02 31 13 40 04.
        var (s, d) = (Sums(), Sums())
        var products = [Double](repeating: 0, count: 17)
        var power = 1.0
        var tail = 0.0
        let count = min(one.count, two.count)
        unsafe one.terms.withUnsafeBufferPointer { left in
            unsafe two.terms.withUnsafeBufferPointer { right in
                for l in 0..<count {
                    let f = unsafe UnsafeBufferPointer(rebasing: left[stride * l..<stride * (l + 1)])
                    let g = unsafe UnsafeBufferPointer(rebasing: right[stride * l..<stride * (l + 1)])
                    unsafe s.add(f, g, Self.s, power)
                    unsafe d.add(f, g, Self.d, power)
                    func add(_ index: Int, _ i: Int, _ j: Int) { unsafe products[index] += power * f[i] * g[j] }
                    add(0, Self.s + 1, Self.d)
                    add(1, Self.s, Self.d + 1)
                    add(2, Self.d + 1, Self.s)
                    add(3, Self.d, Self.s + 1)
                    add(4, Self.cube, Self.s)
                    add(5, Self.square, Self.square)
                    add(6, Self.s, Self.cube)
                    add(7, Self.s2d, Self.d)
                    add(8, Self.square, Self.slopes)
                    add(9, Self.sd2, Self.s)
                    add(10, Self.mixed, Self.mixed)
                    add(11, Self.s, Self.sd2)
                    add(12, Self.slopes, Self.square)
                    add(13, Self.d, Self.s2d)
                    add(14, Self.d3, Self.d)
                    add(15, Self.slopes, Self.slopes)
                    add(16, Self.d, Self.d3)
                    if l >= count - 4 { tail = max(tail, unsafe abs(power * f[Self.d + 2] * g[Self.d + 2])) }
                    power *= rho
                    if abs(power) < 1e-30 { break }
                }
            }
        }
        moments.ss = s.derivatives
        moments.dd = d.derivatives
        moments.first = (products[0], products[1])
        moments.second = (products[2], products[3])
        moments.ssss[0, 1] = products[4]
        moments.ssss[0, 2] = products[5]
        moments.ssss[1, 2] = products[6]
        moments.ssdd[0, 1] = products[7]
        moments.ssdd[0, 2] = products[8]
        moments.ssdd[1, 0] = products[9]
        moments.ssdd[1, 1] = products[10]
        moments.ssdd[1, 2] = products[11]
        moments.ssdd[2, 0] = products[12]
        moments.ssdd[2, 1] = products[13]
        moments.dddd[0, 1] = products[14]
        moments.dddd[0, 2] = products[15]
        moments.dddd[1, 2] = products[16]
        if !(one.isComplete && two.isComplete) {
            let size = abs(moments.dd.hessian.3) + one.norms.1 * two.norms.1 / max(root * root, 1e-300)
            moments.error = size > 0 ? min(tail / size / max(1 - abs(rho), 0x1p-26), 1) : 0
            // Of kinked functions the series of nearly equal points do not end, and equal ones are nearer.
            let distance = max((2 * max(1 - rho, 0)).squareRoot(), abs(one.moments.q - two.moments.q) / (one.moments.q + two.moments.q))
            if distance < moments.error { moments = coinciding(one.moments, two.moments, distance: distance) }
        }
        return moments
    }

    /// The averages of two points that every network takes for one: q1, c and q2 move together, and are given one half, nothing and one half of
    /// the derivative by all of them.
    private static func coinciding(_ one: PointMoments, _ two: PointMoments, distance: Double) -> PairMoments {
        func mean(_ path: KeyPath<PointMoments, Double>) -> Double { (one[keyPath: path] + two[keyPath: path]) / 2 }
        func dual(_ path: KeyPath<PointMoments, (Double, Double, Double)>) -> DualDerivatives {
            let (left, right) = (one[keyPath: path], two[keyPath: path])
            let (first, second) = ((left.1 + right.1) / 4, (left.2 + right.2) / 8)
            return DualDerivatives(
                value: (left.0 + right.0) / 2, gradient: PairVector(first, 0, first, 0), hessian: (second, 0, second, 0, 0, second))
        }
        var moments = PairMoments()
        (moments.ss, moments.dd) = (dual(\.ss), dual(\.dd))
        (moments.first, moments.second) = ((mean(\.slope), 0), (0, mean(\.slope)))
        for (row, column) in [(0, 1), (0, 2), (1, 2)] {
            moments.ssss[row, column] = mean(\.s4)
            moments.dddd[row, column] = mean(\.d4)
        }
        for row in 0..<3 { for column in 0..<3 { moments.ssdd[row, column] = mean(\.s2d2) } }
        moments.error = distance
        return moments
    }

    /// Series over derivatives of one function.
    private struct Sums {
        private var low = SIMD8<Double>.zero
        private var second = 0.0

        @inline(__always)
        mutating func add(_ f: UnsafeBufferPointer<Double>, _ g: UnsafeBufferPointer<Double>, _ first: Int, _ power: Double) {
            let left = unsafe SIMD8(
                f[first], f[first + 1], f[first + 2], f[first + 2], f[first], f[first + 3], f[first + 1], f[first + 4])
            let right = unsafe SIMD8(
                g[first], g[first + 1], g[first + 2], g[first], g[first + 2], g[first + 1], g[first + 3], g[first])
            low += power * left * right
            second += unsafe power * f[first] * g[first + 4]
        }

        /// ∂_{q1} = ½ ∂_u², ∂_c = ∂_u ∂_v.
        var derivatives: DualDerivatives {
            DualDerivatives(
                value: low[0], gradient: PairVector(low[3] / 2, low[1], low[4] / 2, 0),
                hessian: (low[7] / 4, low[5] / 2, low[2] / 4, low[2], low[6] / 2, second / 4))
        }
    }
}
