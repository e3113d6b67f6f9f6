import Glibc
package import LinearAlgebra
internal import Locks

/// The dual of an activation: κ = E[φ(u)φ(v)] and κ̇ = E[φ'(u)φ'(v)] for (u, v) ~ N(0, [[q1, c√(q1 q2)], [c√(q1 q2), q2]]).
///
/// The correlation c comes as the gap to the nearer pole (see `dual_activations.h`), so that angles near 0 and π keep their digits.
/// Closed forms where there are any (`ClosedDual`); else a Hermite series or, where that converges slowly, quadrature (`NumericalDual`).
package struct DualActivation: Sendable {
    package enum Form: Sendable {
        case closed(ClosedDual)
        case numerical(NumericalDual)
    }

    package let form: Form
    /// Whether φ jumps.
    package let isSharp: Bool

    /// Constants of the points: variances q, and κ, √κ and κ̇ of each point with itself.
    package struct Points: Sendable {
        package let variances: [Double]
        package fileprivate(set) var kappa: [Double] = []
        package fileprivate(set) var kappaRoots: [Double] = []
        package fileprivate(set) var kappaDot: [Double] = []
        /// Of the points of a numerical dual.
        fileprivate var numerical: [NumericalDual.Point] = []
        /// Estimated error of κ and κ̇ of pairs of these points, relative to √(κ11 κ22) and √(κ̇11 κ̇22); 0 for closed forms.
        package fileprivate(set) var errorEstimate = 0.0
        /// By how much a relative error before may be larger behind: the largest q κ̇ / κ, the slope of the cosines, and 1 at least.
        package fileprivate(set) var amplification = 1.0

        fileprivate init(variances: [Double]) {
            self.variances = variances
        }

        fileprivate mutating func setAmplification() {
            amplification = variances.indices.reduce(1) { kappa[$1] > 0 ? max($0, variances[$1] * kappaDot[$1] / kappa[$1]) : $0 }
        }
    }

    /// √(x / q) with the x on whose size the angles behind φ depend; nil where they depend on angles alone, or where that is not known.
    package var scaleRoot: Double? {
        if case .closed(let closed) = form { closed.scaleRoot } else { nil }
    }

    /// √(x / q) with the x on whose differences waves depend; nil for what is none.
    package var waveRoot: Double? {
        guard case .closed(let closed) = form else { return nil }
        switch closed.activation {
        case .sin(_, let b, _), .cos(_, let b, _): return abs(b)
        default: return nil
        }
    }

    /// Whether the dual is no closed form.
    package var isNumerical: Bool { if case .numerical = form { true } else { false } }

    /// The estimate for a network with these activations, one after the other: errors grow by what each makes of what it is given, and κ and
    /// κ̇ both err.
    package static func errorEstimate(_ layers: some Sequence<Points>) -> Double {
        2 * layers.reduce(0) { $1.errorEstimate > 0 || $0 > 0 ? $0 * $1.amplification + $1.errorEstimate : 0 }
    }

    /// Bytes that a point of a variance of its own takes at most: values and slopes of up to 1,024 terms, and 432 samples.
    package var pointBytes: Int { isNumerical ? 20 << 10 : 0 }

    /// - Throws: where the parameters give no function, with the field's path.
    package init(_ activation: Activation) throws(ArchitectureError) {
        try activation.validate()
        isSharp = activation == .sign || activation == .rectifiedMonomial(degree: 0)
        if let closed = ClosedDual(activation) {
            form = .closed(closed)
        } else {
            form = .numerical(try NumericalDual(activation))
        }
    }

    package func points(_ variances: UnsafeBufferPointer<Double>) -> Points {
        let points = Points(variances: unsafe Array(variances))
        guard case .numerical(let numerical) = form else { return closedPoints(points) }
        let (distinct, places) = Self.distinct(points.variances)
        return Self.numericalPoints(points, distinct.map(numerical.point), places)
    }

    /// The same shared among threads where it takes long: some tenths of a millisecond for each variance without a closed form.
    package func points(_ variances: [Double], on executor: any TileExecutor) throws -> Points {
        let points = Points(variances: variances)
        guard case .numerical(let numerical) = form else { return closedPoints(points) }
        let (distinct, places) = Self.distinct(variances)
        let made = Lock([NumericalDual.Point?](repeating: nil, count: distinct.count))
        // Few, so that cancelled work ends soon.
        let side = 2
        try executor.forEach((distinct.count + side - 1) / side) { block in
            for index in (block * side)..<min((block + 1) * side, distinct.count) {
                let point = numerical.point(distinct[index])
                made.withLock { $0[index] = point }
            }
        }
        return Self.numericalPoints(points, made.withLock { $0.compactMap { $0 } }, places)
    }

    /// Positions of one image, or normalized points, often share a variance.
    private static func distinct(_ variances: [Double]) -> (values: [Double], places: [Int]) {
        var known: [Double: Int] = [:]
        var values: [Double] = []
        let places = variances.map { variance in
            if let place = known[variance] { return place }
            // One that is no number equals nothing, and is made each time.
            known[variance] = values.count
            values.append(variance)
            return values.count - 1
        }
        return (values, places)
    }

    private static func numericalPoints(_ points: Points, _ distinct: [NumericalDual.Point], _ places: [Int]) -> Points {
        var points = points
        points.numerical = places.map { distinct[$0] }
        points.kappa = points.numerical.map { $0.norm * $0.norm }
        points.kappaDot = points.numerical.map { $0.slopeNorm * $0.slopeNorm }
        points.kappaRoots = points.numerical.map(\.norm)
        points.errorEstimate = distinct.reduce(0) { max($0, $1.error) }
        points.setAmplification()
        return points
    }

    private func closedPoints(_ points: Points) -> Points {
        guard case .closed(let closed) = form else { return points }
        var points = points
        points.kappa.reserveCapacity(points.variances.count)
        points.kappaDot.reserveCapacity(points.variances.count)
        for q in points.variances {
            let (kappa, dot) = closed.own(q)
            points.kappa.append(kappa)
            points.kappaDot.append(dot)
        }
        points.kappaRoots = points.kappa.map { $0.squareRoot() }
        points.setAmplification()
        return points
    }

    /// κ, κ̇ and the gap behind φ of the pairs (own[i + k ownStride], others[j + k]) for k < count, with ownStride 0 or 1.
    ///
    /// The same bits for a pair and its mirror image.
    /// - Parameters:
    ///   - gaps: of the pairs before φ, with the sign for the side, see `dual_activations.h`.
    ///   - differences: (q1 − q2) / (q1 + q2) of the pairs, where they are known better than the variances tell.
    ///   - gapsBehind: of the cosines κ / √(κ11 κ22), as `gaps`. Together with `kappaRoots` they tell all of κ that matters where it is
    ///     nearly the whole: κ11 + κ22 − 2 κ = (√κ11 − √κ22)² + 2 √κ11 √κ22 gap.
    package func pairs(
        _ own: Points, _ i: Int, ownStride: Int, _ others: Points, _ j: Int, count: Int, gaps: UnsafePointer<Double>,
        differences: UnsafePointer<Double>? = nil, covariance: UnsafeMutablePointer<Double>, derivative: UnsafeMutablePointer<Double>?,
        gapsBehind: UnsafeMutablePointer<Double>? = nil
    ) {
        if case .numerical(let numerical) = form {
            var polar = PolarDual(numerical.table)
            for k in 0..<count {
                let gap = unsafe gaps[k]
                let result = numerical.pair(
                    own.numerical[i + k * ownStride], others.numerical[j + k], near: abs(gap), isFar: gap.sign == .minus, &polar)
                unsafe covariance[k] = result.covariance
                unsafe derivative?[k] = result.derivative
                unsafe gapsBehind?[k] = result.gap
            }
            return polar.finish()
        }
        guard case .closed(let closed) = form else { return }
        for k in 0..<count {
            let (a, b) = (i + k * ownStride, j + k)
            let (q1, q2) = (own.variances[a], others.variances[b])
            let gap = unsafe gaps[k]
            let known = unsafe differences?[k]
            let result: DualPair
            if gap == 0 && gap.sign == .plus && q1 == q2 && (known ?? 0) == 0 {
                result = DualPair(covariance: own.kappa[a], derivative: own.kappaDot[a], gap: 0)
            } else {
                let pair = GaussianPair(q1, q2, gap: gap, knownDifference: known)
                let roots = own.kappaRoots[a] * others.kappaRoots[b]
                result = closed.pair(pair, roots: roots)
            }
            unsafe covariance[k] = result.covariance
            unsafe derivative?[k] = result.derivative
            unsafe gapsBehind?[k] = result.gap
        }
    }

    /// The pair of two points, and (κ11 − κ22) / (κ11 + κ22), from that difference of their variances.
    package func pair(_ points: Points, gap: Double, difference: Double) -> (result: DualPair, difference: Double) {
        let pair = GaussianPair(points.variances[0], points.variances[1], gap: gap, knownDifference: difference)
        let isOrdered = pair.knownDifference == difference
        let roots = points.kappaRoots[0] * points.kappaRoots[1]
        switch form {
        case .closed(let closed):
            let (first, second) = isOrdered ? (points.kappa[0], points.kappa[1]) : (points.kappa[1], points.kappa[0])
            let behind = closed.difference(pair, first, second)
            return (closed.pair(pair, roots: roots), isOrdered ? behind : -behind)
        case .numerical(let numerical):
            var polar = PolarDual(numerical.table)
            let result = numerical.pair(points.numerical[0], points.numerical[1], near: abs(gap), isFar: gap.sign == .minus, &polar)
            polar.finish()
            let sum = points.kappa[0] + points.kappa[1]
            return (result, sum > 0 ? (points.kappa[0] - points.kappa[1]) / sum : 0)
        }
    }
}

extension Activation {
    /// - Throws: at a parameter that is not finite, or of a degree beyond what numbers can hold.
    package func validate() throws(ArchitectureError) {
        func finite(_ values: [(String, Double)]) throws(ArchitectureError) {
            for (name, value) in values where !value.isFinite {
                throw ArchitectureError(path: "/" + name, detail: "a finite number expected; \(value) came")
            }
        }
        func degree(_ degree: Int) throws(ArchitectureError) {
            guard (0...30).contains(degree) else { throw ArchitectureError(path: "/degree", detail: "0 to 30 expected; \(degree) came") }
        }
        switch self {
        case .abRelu(let a, let b), .exp(let a, let b), .gaussian(let a, let b): try finite([("a", a), ("b", b)])
        case .erf(let a, let b, let c), .sin(let a, let b, let c), .cos(let a, let b, let c): try finite([("a", a), ("b", b), ("c", c)])
        case .expNormalized(let gamma, let shift):
            try finite([("gamma", gamma), ("shift", shift)])
            guard gamma >= 0 else {
                throw ArchitectureError(
                    path: "/gamma", detail: "0 or more expected; \(gamma) came: a covariance would exceed those of its points with themselves")
            }
        case .elu(let alpha, let scale): try finite([("alpha", alpha), ("scale", scale)])
        case .hermite(let n), .monomial(let n), .rectifiedMonomial(let n): try degree(n)
        case .polynomial(let coefficients):
            try degree(max(coefficients.count - 1, 0))
            try finite(coefficients.enumerated().map { ("coefficients/\($0)", $1) })
        case .elementwise(let expression):
            for x in [-8.0, -1, -0.3, 0.3, 1, 8] {
                let (value, derivative) = expression.evaluate(x)
                guard value.isFinite && derivative.isFinite else {
                    throw ArchitectureError(
                        path: "/expression",
                        detail: "a function that is finite on the whole line expected; at x = \(x) it is \(value), its slope \(derivative)")
                }
            }
        default: break
        }
    }
}
