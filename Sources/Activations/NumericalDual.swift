internal import CDualActivations
import Glibc
internal import LinearAlgebra
internal import Locks

/// Duals of activations without a closed form.
///
/// By Hermite series where they converge fast (`HermiteSeries`: smooth functions at moderate variances at any angle, others away from
/// coinciding pairs), else by integrals over the angle with the radius integrated out beforehand (`PolarDual`, `RadialTable`). Functions of
/// straight pieces by integrals over correlations (`PiecewiseLinear`), but where its kinks' parts nearly cancel.
package struct NumericalDual: Sendable {
    package let function: NumericalFunction
    package let table: RadialTable
    let lines: PiecewiseLinear?

    /// What belongs to a point: its variance q, the norms of φ(√q x) and φ'(√q x), its series.
    package final class Point: Sendable {
        package let root: Double
        package let norm, slopeNorm: Double
        package let series: HermiteSeries
        /// φ(±√q x) √weight / norm at nodes x that are the same for all points; empty where the series is complete.
        package let plus, minus: [Double]
        /// Estimated error of κ and κ̇, relative to the points' own.
        package let error: Double
        /// Of a function of straight pieces, which needs nothing of the above but norms.
        let line: PiecewiseLinear.Point?
        /// The same point by series and quadrature, if it is met by one that has no `line`.
        fileprivate let numerical = Lock<Point?>(nil)

        fileprivate init(_ line: PiecewiseLinear.Point) {
            (root, norm, slopeNorm, error) = (line.root, line.norm, line.slopeNorm, line.error)
            (series, plus, minus) = (Self.none, [], [])
            self.line = line
        }

        private static let none = HermiteSeries(constant: 0, slope: 0)

        fileprivate init(
            root: Double, norm: Double, slopeNorm: Double, series: HermiteSeries, plus: [Double], minus: [Double], error: Double
        ) {
            (self.root, self.norm, self.slopeNorm, self.series) = (root, norm, slopeNorm, series)
            (self.plus, self.minus, self.error) = (plus, minus, error)
            line = nil
        }
    }

    /// - Throws: where E φ² or E φ'² is not finite at any variance, or quadrature does not converge.
    package init(_ activation: Activation) throws(ArchitectureError) {
        function = NumericalFunction(activation)
        table = RadialTables.shared.table(function)
        guard case .elementwise(let expression) = activation else {
            lines = nil
            return
        }
        lines = PiecewiseLinear(expression)
        if lines == nil { try check() }
    }

    private func check() throws(ArchitectureError) {
        var samples = GaussianSamples(function, root: 1, width: 1)
        // A function that grows too fast at one variance may have a kernel at smaller ones.
        if samples.growsTooFast { samples = GaussianSamples(function, root: 0.01, width: 1) }
        guard samples.error < Self.limit else {
            throw ArchitectureError(
                path: "/expression",
                detail: "a function whose kernel is finite expected; the integrals of its square and of its slope's square do not converge")
        }
    }

    /// What is estimated to be less right than this is no answer.
    package static let limit = 1e-6

    package func point(_ variance: Double) -> Point {
        // Nothing converges at a variance that is no number, and nobody waits for the point of cancelled work.
        guard !variance.isNaN, variance < .infinity, !CurrentWork.isCancelled else { return unusable(variance.squareRoot()) }
        let root = variance.squareRoot()
        if let line = lines.map({ PiecewiseLinear.Point($0, root: root) }), line.error < Self.mostLineError { return Point(line) }
        return numericalPoint(root)
    }

    /// Where more is lost to what kinks leave of each other, or norms leave the range of numbers, series and quadrature are better.
    private static let mostLineError = 1e-12

    private func numericalPoint(_ root: Double) -> Point {
        guard root > 0 else {
            let (value, slope) = function.atZero
            return Point(
                root: 0, norm: abs(value), slopeNorm: abs(slope), series: HermiteSeries(constant: value, slope: slope), plus: [], minus: [],
                error: 0)
        }
        var samples = GaussianSamples(function, root: root, width: 1)
        guard samples.error < Self.limit else { return unusable(root) }
        var series = HermiteSeries(samples, terms: 256)
        if !series.isComplete {
            // Waves at a large variance: no table holds them, but a long series does. Where the terms fall like those of a function that is
            // smooth on this scale, four times as many are the square; else a few more, and the table near the poles.
            let level = function.isQuick(root) ? (4096, 0.25) : series.end < 2e-5 ? (1024, 0.5) : (512, 0.65)
            samples = GaussianSamples(function, root: root, width: level.1)
            series = HermiteSeries(samples, terms: level.0)
        }
        let (plus, minus) = series.isComplete ? ([], []) : common(root, samples.norm)
        let point = Point(
            root: root, norm: samples.norm, slopeNorm: samples.slopeNorm, series: series, plus: plus, minus: minus,
            error: max(samples.error, 1e-15))
        if series.isComplete { return point }
        // At kinks off zero points of unequal variance lose a digit that those of one variance keep.
        let error = max(point.error, disagreement(point), function.kinks.isEmpty ? 0 : 1e-12)
        let isUsable = error < Self.limit
        return Point(
            root: root, norm: isUsable ? samples.norm : .infinity, slopeNorm: isUsable ? samples.slopeNorm : .infinity, series: series,
            plus: plus, minus: minus, error: error)
    }

    /// A point whose kernel values are infinite: those who ask for them are told that they do not converge.
    private func unusable(_ root: Double) -> Point {
        let series = HermiteSeries(constant: 1, slope: 1)
        return Point(root: root, norm: .infinity, slopeNorm: .infinity, series: series, plus: [], minus: [], error: .infinity)
    }

    /// How far two independent ways to the same numbers disagree: the polar form at the angle 0 with the integral over the line, and at an
    /// angle where both hold with the series.
    private func disagreement(_ point: Point) -> Double {
        var polar = PolarDual(table)
        defer { polar.finish() }
        func difference(_ near: Double, _ cosine: Double, _ slope: Double) -> Double {
            let (kappa, dot) = polar.pair(point.root, point.root, angle: ClosedDual.angle(near, false), isFar: false)
            let left = abs(kappa / point.norm / point.norm - cosine)
            guard left.isFinite, dot.isFinite else { return .infinity }
            return max(left, point.slopeNorm > 0 ? abs(dot / point.slopeNorm / point.slopeNorm - slope) : 0)
        }
        let near = 39 / Double(point.series.terms)
        let series = HermiteSeries.pair(point.series, point.series, near: near, isFar: false)
        let differences = [difference(0, 1, 1), difference(near, series.cosine, series.slope)]
        // `max` drops what is not a number.
        return differences.contains { !$0.isFinite } ? .infinity : 2 * (differences.max() ?? 0)
    }

    /// κ, κ̇ and the gap of the outputs' cosine, signed as in `dual_activations.h`.
    package func pair(_ first: Point, _ second: Point, near: Double, isFar: Bool, _ polar: inout PolarDual) -> DualPair {
        if first.line != nil || second.line != nil {
            guard let a = first.line, let b = second.line else {
                return pair(withoutLine(first), withoutLine(second), near: near, isFar: isFar, &polar)
            }
            return PiecewiseLinear.pair(a, b, near: near, isFar: isFar)
        }
        // A zero vector has no direction: its own function is a constant.
        let near = first.root > 0 && second.root > 0 ? near : 1
        let (scale, slopeScale) = (first.norm * second.norm, first.slopeNorm * second.slopeNorm)
        guard scale.isFinite && slopeScale.isFinite else { return DualPair(covariance: .infinity, derivative: .infinity, gap: 0) }
        if near == 0 && !isFar && first.root == second.root { return DualPair(covariance: scale, derivative: slopeScale, gap: 0) }
        if HermiteSeries.suffices(first.series, second.series, near: near) {
            let sums = HermiteSeries.pair(first.series, second.series, near: near, isFar: isFar)
            let isWhole = first.series.isComplete && second.series.isComplete
            return DualPair(
                covariance: scale * sums.cosine, derivative: slopeScale * sums.slope,
                gap: Self.gap(sums.cosine, isWhole ? sums.gap : nil, isFar: isFar))
        }
        if CurrentWork.isCancelled { return DualPair(covariance: 0, derivative: 0, gap: 0) }
        let angle = 2 * asin((near / 2).squareRoot())
        let (a, b) = (max(first.root, second.root), min(first.root, second.root))
        let (kappa, dot) = polar.pair(a, b, angle: angle, isFar: isFar)
        let cosine = min(max(kappa / scale, -1), 1)
        guard 1 - abs(cosine) < 1e-4, isFar == (cosine < 0) else {
            return DualPair(covariance: kappa, derivative: dot, gap: Self.gap(cosine, nil, isFar: isFar))
        }
        // From the pole on: what the norms leave, and what the angle takes.
        let shrunk = angle > 0 ? shrinkage(a, b, angle: angle, near: near, isFar: isFar, dot: dot, &polar) / scale : 0
        let gap = distance(first, second, isFar: isFar) / 2 + shrunk
        return DualPair(covariance: kappa, derivative: dot, gap: isFar ? -gap : gap)
    }

    private func withoutLine(_ point: Point) -> Point {
        guard point.line != nil else { return point }
        if let made = point.numerical.withLock({ $0 }) { return made }
        let made = numericalPoint(point.root)
        point.numerical.withLock { $0 = made }
        return made
    }

    /// By how much κ is nearer to zero at this angle than at the pole: a b ∫ κ̇ sin along the angle, with y = sin(x/2) / sin(θ/2) for a variable.
    ///
    /// Where κ̇ hardly changes by Radau's rule, of which κ̇ here is the last value; else by Gauss' on pieces that grow from the angle at which
    /// it changes.
    private func shrinkage(
        _ a: Double, _ b: Double, angle: Double, near: Double, isFar: Bool, dot: Double, _ polar: inout PolarDual
    ) -> Double {
        if function.hasJumps { return jumpShrinkage(a, b, angle: angle, isFar: isFar, &polar) }
        let half = (near / 2).squareRoot()
        func slope(_ y: Double) -> Double { polar.pair(a, b, angle: 2 * asin(y * half), isFar: isFar, slopesOnly: true).1 }
        let sure = function.scale / a
        if angle <= 0.05 * sure {
            let sum = Self.radau.prefix(2).reduce(Self.radau[2].weight * dot) { $0 + $1.weight * slope($1.node) }
            return 2 * near * a * b * sum
        }
        var (sum, start) = (0.0, 0.0)
        while start < 1 {
            let end = min(start == 0 ? 0.5 * sure / angle : 3 * start, 1)
            for (node, weight) in zip(GaussLegendre.order16.nodes, GaussLegendre.order16.weights) {
                let y = start + (end - start) * node
                sum += (end - start) * weight * y * slope(y)
            }
            start = end
        }
        return 2 * near * a * b * sum
    }

    /// The same where φ jumps, so that κ falls by a jump's share of the angle, which κ̇ does not know: by the polynomial in the angle through
    /// (κ(0) − κ(x)) / x at larger angles x, where the difference keeps its digits.
    private func jumpShrinkage(_ a: Double, _ b: Double, angle: Double, isFar: Bool, _ polar: inout PolarDual) -> Double {
        let sign = isFar ? -1.0 : 1.0
        let pole = polar.pair(a, b, angle: 0, isFar: isFar).0
        let reach = min(0.5 * function.scale / a, 0.5)
        guard angle < reach else { return sign * (pole - polar.pair(a, b, angle: angle, isFar: isFar).0) }
        let count = 12
        var (above, below) = (0.0, 0.0)
        for k in 0..<count {
            let x = Double.pi * (Double(k) + 0.5) / Double(count)
            let node = reach * (1 + cos(x)) / 2
            let value = sign * (pole - polar.pair(a, b, angle: node, isFar: isFar).0) / node
            guard node != angle else { return value * angle }
            // Barycentric weights of Chebyshev's nodes.
            let weight = (k % 2 == 0 ? 1 : -1) * sin(x) / (angle - node)
            above += weight * value
            below += weight
        }
        return angle * above / below
    }

    /// Nodes and weights for ∫ f(x) x dx on [0, 1] with 1 as a node: right for polynomials of degree 4.
    private static let radau: [(node: Double, weight: Double)] = {
        // The inner nodes are the roots of x² − x + 1/5, which is orthogonal to the line under x (1 − x).
        let nodes = [0.5 - 0.05.squareRoot(), 0.5 + 0.05.squareRoot(), 1]
        let weights = nodes.indices.map { (k: Int) -> Double in
            let (a, b) = (nodes[(k + 1) % 3], nodes[(k + 2) % 3])
            // ∫ x (x − a)(x − b)
            return (1.0 / 4 - (a + b) / 3 + a * b / 2) / ((nodes[k] - a) * (nodes[k] - b))
        }
        return Array(zip(nodes, weights))
    }()

    /// The gap from 1 ∓ c', or where that is not known from c'.
    private static func gap(_ cosine: Double, _ small: Double?, isFar: Bool) -> Double {
        if cosine < 0 { return -max(isFar ? small ?? (1 + cosine) : 1 + cosine, 0) }
        return max(isFar ? 1 - cosine : small ?? (1 - cosine), 0)
    }

    /// E (f1(x) − f2(x))², or E (f1(x) + f2(−x))² if `isFar`, of the normalized functions.
    private func distance(_ first: Point, _ second: Point, isFar: Bool) -> Double {
        if !isFar && first.root == second.root { return 0 }
        if !first.plus.isEmpty && first.plus.count == second.plus.count {
            let other = isFar ? (second.minus, second.plus) : (second.plus, second.minus)
            return unsafe ntk_squared_distance(first.plus, other.0, isFar ? -1 : 1, first.plus.count)
                + ntk_squared_distance(first.minus, other.1, isFar ? -1 : 1, first.minus.count)
        }
        var sum = 0.0
        let borders = (Self.commonBorders(function, first.root) + Self.commonBorders(function, second.root)).sorted()
        for (x, weight) in GaussLegendre.order12.composite(borders) where weight > 0 {
            let density = weight * Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            for side in [x, -x] {
                let one = function.activation.evaluate(first.root * side).value / first.norm
                let other = function.activation.evaluate(second.root * (isFar ? -side : side)).value / second.norm
                sum += density * (isFar ? (one + other) * (one + other) : (one - other) * (one - other))
            }
        }
        return sum
    }

    private static func commonBorders(_ function: NumericalFunction, _ root: Double) -> [Double] {
        GaussianSamples.borders(function, root: root, width: 0.75, reach: 10.5)
    }

    private static let steps = 8

    private static let commonRule: [(node: Double, weight: Double)] = {
        var borders = [0.0]
        for k in stride(from: -steps, through: 0, by: 1) { borders.append(scalbn(1, k)) }
        borders += [1.5, 2, 2.75, 3.5, 4.5, 5.5, 7, 8.5, 10.5]
        return GaussLegendre.order12.composite(borders).map { x, weight in
            let density = Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            return (x, (weight * density).squareRoot())
        }
    }()

    /// Samples at nodes that all points have in common; empty where these do not resolve the function.
    private func common(_ root: Double, _ norm: Double) -> ([Double], [Double]) {
        guard function.kinks.isEmpty, root <= function.scale * scalbn(1, Self.steps) else { return ([], []) }
        return (
            Self.commonRule.map { $1 * function.activation.evaluate(root * $0).value / norm },
            Self.commonRule.map { $1 * function.activation.evaluate(-root * $0).value / norm }
        )
    }
}
