import Activations
import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

/// Variances and tangent kernels of points, at one place in the network.
struct PointValues: Sendable {
    var variance: [Double]
    var theta: [Double]

    init(variance: [Double], theta: [Double]? = nil) {
        self.variance = variance
        self.theta = theta ?? [Double](repeating: 0, count: variance.count)
    }
}

extension PointValues {
    static let none = PointValues(variance: [])
}

extension PointSet {
    /// Per-point constants of one instruction, from which pairs are computed.
    enum Stage: Sendable {
        /// `std`: √K before. `constant`: the new variance's shares, if a bias is added.
        case affine(std: Storage<Element>, constant: Shares?)
        case abRelu
        case erf(ErfConstants, offset: Shares?)
        case dual(DualActivation.Points)
        /// √(weight K_k / K) of each input k of a sum.
        case combination([Storage<Element>])
        /// √K of each factor.
        case product([Storage<Element>])
        /// What Θ is multiplied by.
        case layerNorm(scale: Storage<Element>)
        case dropout
    }

    /// s = √(share of the old features), e = √(share of the added constant): s² + e² = 1.
    struct Shares: Sendable {
        var s: Storage<Element>
        var e: Storage<Element>
    }

    /// With Q = b² q: p² = 2Q/(1+2Q), r² = 1/(1+2Q), rest = 1 − p, A = asin p², cosine = cos A, scale = √A, inverse = 1/√A (0 for 0).
    struct ErfConstants: Sendable {
        var p, r, rest, cosine, scale, inverse: Storage<Element>
        /// q itself.
        var variances: [Double]
    }
}

/// Runs a program on single points.
struct PointRecursion<Element: KernelScalar> {
    typealias Stage = PointSet<Element>.Stage
    typealias Shares = PointSet<Element>.Shares

    private(set) var values: [PointValues]
    /// Whether an activation whose angles depend on the scale has met a variance so large that it turns small angles into large ones.
    var isAmplifying: Bool { !amplifying.isEmpty }
    /// Of each point; empty where it is so of none.
    private(set) var amplifying: [Bool] = []
    /// The largest number that each point has met.
    private(set) var largest: [Double]
    /// A point of which a variance is below the range of numbers where that would pass for zero.
    private(set) var vanished: Int?
    private let plan: VectorPlan

    private static var largeDeviation: Double { 100 }

    init(_ input: PointValues, _ plan: VectorPlan) {
        values = [input]
        values.reserveCapacity(plan.program.instructions.count + 1)
        largest = input.variance
        self.plan = plan
    }

    /// Runs the next instruction.
    mutating func advance(on executor: any TileExecutor) throws -> Stage {
        let index = values.count - 1
        let instruction = plan.program.instructions[index]
        var points = values[instruction.inputs[0]]
        let others = instruction.inputs.dropFirst().map { values[$0] }
        let before = plan.guardsScale[index] ? ([points] + others).map(\.variance) : []
        // What nobody needs any more is worked on where it is.
        for input in instruction.inputs where plan.lastUses[input] == index { values[input] = .none }
        let stage: Stage
        switch instruction.operation {
        case .affine(let step): stage = affine(&points, step)
        case .activation(let step): stage = try activation(&points, step, executor)
        case .sum: stage = combine([points] + others, instruction.inputs.map { _ in 1 }, &points)
        case .concatenateChannels(let weights): stage = combine([points] + others, weights, &points)
        case .product: stage = product([points] + others, &points)
        case .layerNorm(_, let epsilon):
            // Where there is no variance and no epsilon there is nothing to divide.
            let scale = points.variance.map { $0 + epsilon > 0 ? 1 / ($0 + epsilon).squareRoot() : 0 }
            for point in scale.indices {
                points.variance[point] *= scale[point].squared
                points.theta[point] *= scale[point].squared
            }
            stage = .layerNorm(scale: PointSet.padded(scale))
        case .dropout(let keep):
            for point in points.variance.indices {
                points.variance[point] /= keep
                points.theta[point] /= keep
            }
            stage = .dropout
        case .window, .isolate, .concatenate, .attention, .map, .aggregate, .flatten, .globalPool:
            // The compiler keeps these for inputs with spatial axes; here a point has one position.
            stage = combine([points], [1], &points)
        }
        if !before.isEmpty {
            vanished =
                points.variance.indices.first { point in
                    points.variance[point] < .leastNormalMagnitude && before.allSatisfy { $0[point] > 0 }
                } ?? vanished
        }
        for point in points.variance.indices {
            note(points.variance[point], at: point)
            note(points.theta[point], at: point)
        }
        values.append(points)
        return stage
    }

    private mutating func note(_ value: Double, at point: Int) {
        // Not `max`, which would drop a NaN.
        if !(value <= largest[point]) { largest[point] = value }
    }

    private mutating func affine(_ points: inout PointValues, _ step: KernelProgram.AffineStep) -> Stage {
        let std = PointSet<Element>.padded(points.variance.lazy.map { $0.squareRoot() })
        for point in points.theta.indices {
            points.theta[point] = step.weight * points.theta[point] + step.input * points.variance[point] + step.constant
        }
        return .affine(std: std, constant: addConstant(&points, weight: step.weight, constant: step.bias))
    }

    private mutating func activation(
        _ points: inout PointValues, _ step: ActivationStep, _ executor: any TileExecutor
    ) throws -> Stage {
        if case .abRelu(let a, let b) = step.activation {
            let power = AbRelu(a, b).power
            for point in points.theta.indices {
                // At u = v = 0 the slope is the mean of a and b, as in neural-tangents.
                let slope = points.variance[point] > 0 ? power : ((a + b) / 2).squared
                points.theta[point] *= slope
                points.variance[point] *= power
            }
            return .abRelu
        }
        if let root = step.dual.scaleRoot {
            for (point, variance) in points.variance.enumerated() where root * variance.squareRoot() > Self.largeDeviation {
                if amplifying.isEmpty { amplifying = [Bool](repeating: false, count: points.variance.count) }
                amplifying[point] = true
            }
        }
        if case .erf(let a, let b, let c) = step.activation { return erf(&points, a, b, c) }
        let prepared = try step.dual.points(points.variance, on: executor)
        for point in points.theta.indices {
            points.theta[point] *= prepared.kappaDot[point]
            points.variance[point] = prepared.kappa[point]
        }
        return .dual(prepared)
    }

    private mutating func erf(_ points: inout PointValues, _ a: Double, _ b: Double, _ c: Double) -> Stage {
        // By the root of 2 Q, whose square may be beyond the range of numbers.
        let y = points.variance.map { abs(b) * (2.0.squareRoot() * $0.squareRoot()) }
        let r = y.map { 1 / hypot(1, $0) }
        let p = zip(y, r).map { $0 * $1 }
        let cosine = zip(p, r).map { $1 * (1 + $0 * $0).squareRoot() }
        let angle = zip(p, cosine).map { atan2($0 * $0, $1) }
        // √A is about p, and does not underflow where p² does.
        let scale = zip(p, angle).map { $0 < 1e-100 ? $0 : $1.squareRoot() }
        let constants = PointSet<Element>.ErfConstants(
            p: PointSet.padded(p), r: PointSet.padded(r), rest: PointSet.padded(zip(p, r).map { $1 * $1 / (1 + $0) }),
            cosine: PointSet.padded(cosine), scale: PointSet.padded(scale),
            inverse: PointSet.padded(scale.lazy.map { $0 > 0 ? 1 / $0 : 0 }), variances: points.variance)
        for point in points.theta.indices {
            points.theta[point] *= a * b * (a * b) * (4 / .pi) * (r[point] / (1 + p[point] * p[point]).squareRoot())
            points.variance[point] = a * a * (2 / .pi) * angle[point]
        }
        return .erf(constants, offset: addConstant(&points, weight: 1, constant: c * c))
    }

    /// K ← weight K + constant; returns the shares of the two terms, nil without a constant.
    private mutating func addConstant(_ points: inout PointValues, weight: Double, constant: Double) -> Shares? {
        guard constant > 0 else {
            for point in points.variance.indices { points.variance[point] = weight * points.variance[point] + constant }
            return nil
        }
        let old = points.variance
        for point in old.indices { points.variance[point] = weight * old[point] + constant }
        return Shares(
            s: PointSet.padded(zip(old, points.variance).lazy.map { (weight * $0 / $1).squareRoot() }),
            e: PointSet.padded(points.variance.lazy.map { (constant / $0).squareRoot() }))
    }

    /// K = Σ weight K_k, Θ = Σ weight Θ_k.
    private func combine(_ inputs: [PointValues], _ weights: [Double], _ result: inout PointValues) -> Stage {
        let points = inputs[0].variance.indices
        var sum = PointValues(variance: [Double](repeating: 0, count: points.count))
        for (input, weight) in zip(inputs, weights) {
            for point in points {
                sum.variance[point] += weight * input.variance[point]
                sum.theta[point] += weight * input.theta[point]
            }
        }
        let shares = zip(inputs, weights).map { input, weight in
            PointSet<Element>.padded(points.lazy.map { sum.variance[$0] > 0 ? (weight * input.variance[$0] / sum.variance[$0]).squareRoot() : 0 })
        }
        result = sum
        return .combination(shares)
    }

    /// K = Π K_k, Θ = Σ_k Θ_k Π_{j≠k} K_j.
    private func product(_ inputs: [PointValues], _ result: inout PointValues) -> Stage {
        for input in inputs.dropFirst() {
            for point in result.variance.indices {
                result.theta[point] = result.theta[point] * input.variance[point] + result.variance[point] * input.theta[point]
                result.variance[point] *= input.variance[point]
            }
        }
        return .product(inputs.map { PointSet.padded($0.variance.lazy.map { $0.squareRoot() }) })
    }
}
