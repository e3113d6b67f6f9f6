import Activations
import Architecture
import Glibc
import KernelLoops
import LinearAlgebra

/// The recursion for one pair, slowly and to a relative accuracy of the smallest gaps.
///
/// Behind a function that jumps an angle is as the root of the angle before, so that an error of ε in an angle of ε becomes one of √ε, and
/// more behind the next. Here beside the gap goes the relative difference of the two variances, which the variances themselves tell to ε only.
/// Nothing is then formed from nearly equal numbers: every difference of two points' numbers is taken from that one.
struct PairRecursion<Element: KernelScalar> {
    /// A pair at one place in the network.
    struct State {
        /// With the sign for the side, see `dual_activations.h`.
        var gap: Double
        /// (q1 − q2) / (q1 + q2).
        var difference: Double
        var theta: Double

        var below: Double { gap.sign == .minus ? 2 + gap : gap }
        var above: Double { gap.sign == .minus ? -gap : 2 - gap }
        var cosine: Double { gap.sign == .minus ? -1 - gap : 1 - gap }

        /// From 1 − c and 1 + c.
        static func gap(_ below: Double, _ above: Double) -> Double { below <= above ? below : -above }
    }

    let program: KernelProgram
    let x1, x2: PointSet<Element>
    let i, j: Int

    /// - Parameter gap: of the two points.
    func run(gap: Double) -> State {
        var states = [State(gap: gap, difference: inputDifference, theta: 0)]
        for (index, instruction) in program.instructions.enumerated() {
            var state = apply(instruction.operation, instruction.inputs, states, index)
            let (q1, q2) = variances(index + 1)
            // Variances that differ so much tell their difference themselves.
            if !(abs(q1 - q2) < 0.1 * (q1 + q2)) { state.difference = q1 + q2 > 0 ? (q1 - q2) / (q1 + q2) : 0 }
            states.append(state)
        }
        return states[program.output]
    }

    private func variances(_ value: Int) -> (Double, Double) { (x1.variances[value][i], x2.variances[value][j]) }

    /// (|x|² − |y|²) / (|x|² + |y|²).
    private var inputDifference: Double {
        let (first, second) = unsafe (x1.norms.base[i], x2.norms.base[j])
        guard first > 0, second > 0 else { return first == second ? 0 : first > 0 ? 1 : -1 }
        let ratio = first / second
        // Of the squares' ratio r the difference is (r − 1) / (r + 1); with the smaller norm above, so that no square overflows.
        if ratio < 0.95 { return (ratio * ratio - 1) / (ratio * ratio + 1) }
        let inverse = second / first
        if inverse < 0.95 { return (1 - inverse * inverse) / (1 + inverse * inverse) }
        let scale = scalbn(1.0, -Int32(clamping: max(first, second).exponent))
        var (difference, sum) = (0.0, 0.0)
        for k in 0..<x1.features {
            let (x, y) = unsafe (x1.x.base[i * x1.features + k] * scale, x2.x.base[j * x1.features + k] * scale)
            difference += (x - y) * (x + y)
            sum += x * x + y * y
        }
        return difference / sum
    }

    private func apply(_ operation: KernelProgram.Operation, _ inputs: [Int], _ states: [State], _ index: Int) -> State {
        var state = states[inputs[0]]
        let (q1, q2) = variances(inputs[0])
        switch operation {
        case .affine(let step):
            let covariance = q1.squareRoot() * q2.squareRoot() * state.cosine
            state.theta = step.weight * state.theta + step.input * covariance + step.constant
            addConstant(&state, step.weight * q1, step.weight * q2, step.bias)
        case .activation(let step):
            let (before, variances) = (state, [q1, q2])
            let points = unsafe variances.withUnsafeBufferPointer { unsafe step.dual.points($0) }
            let pair = step.dual.pair(points, gap: before.gap, difference: before.difference)
            state = State(gap: pair.result.gap, difference: pair.difference, theta: before.theta * pair.result.derivative)
        case .sum: state = combine(inputs, inputs.map { _ in 1 }, states)
        case .concatenateChannels(let weights): state = combine(inputs, weights, states)
        case .product: state = product(inputs, states)
        case .layerNorm(_, let epsilon):
            let (sum1, sum2) = (q1 + epsilon, q2 + epsilon)
            guard sum1 > 0, sum2 > 0 else { return State(gap: 1, difference: 0, theta: 0) }
            state.theta /= sum1.squareRoot() * sum2.squareRoot()
            // q1 / (q1 + ε) − q2 / (q2 + ε) = ε (q1 − q2) / …, over the sum of both.
            let difference = epsilon / sum1 * (state.difference * (q1 / sum2 + q2 / sum2))
            let sum = q1 / sum1 + q2 / sum2
            state.difference = sum > 0 ? difference / sum : 0
        case .dropout(let keep):
            let shrunk = (1 - keep) + keep * abs(state.gap)
            state.gap = state.gap.sign == .minus ? -shrunk : shrunk
        case .window, .isolate, .concatenate, .attention, .map, .aggregate, .flatten, .globalPool:
            // The compiler keeps these for inputs with spatial axes; here a point has one position.
            break
        }
        return state
    }

    /// Adds a feature that all points share: see `add_constant`.
    private func addConstant(_ state: inout State, _ q1: Double, _ q2: Double, _ constant: Double) {
        guard constant > 0 else {
            if q1 == 0 || q2 == 0 { state.gap = 1 }
            return
        }
        let (sum1, sum2) = (q1 + constant, q2 + constant)
        let (s1, s2) = ((q1 / sum1).squareRoot(), (q2 / sum2).squareRoot())
        let (e1, e2) = ((constant / sum1).squareRoot(), (constant / sum2).squareRoot())
        // s1² − s2² = −(e1² − e2²)
        let squares = constant / sum1 * (state.difference * ((q1 + q2) / sum2))
        let ds = s1 + s2 > 0 ? squares / (s1 + s2) : 0
        let de = squares / (e1 + e2)
        let change = ds * ds / 2
        state.gap = State.gap(s1 * s2 * state.below + (change + de * de / 2), s1 * s2 * state.above + (change + (e1 + e2).squared / 2))
        state.difference *= (q1 + q2) / (sum1 + sum2)
    }

    /// See `TilePass.combine`.
    private func combine(_ inputs: [Int], _ weights: [Double], _ states: [State]) -> State {
        let parts = zip(inputs, weights).map { input, weight -> (q1: Double, q2: Double, state: State) in
            let (q1, q2) = variances(input)
            return (weight * q1, weight * q2, states[input])
        }
        let (total1, total2) = (parts.reduce(0) { $0 + $1.q1 }, parts.reduce(0) { $0 + $1.q2 })
        let total = total1 + total2
        var result = State(gap: 1, difference: 0, theta: 0)
        for (part, weight) in zip(parts, weights) { result.theta += weight * part.state.theta }
        guard total > 0 else { return result }
        result.difference = parts.reduce(0) { $0 + $1.state.difference * (($1.q1 + $1.q2) / total) }
        guard total1 > 0, total2 > 0 else { return result }
        let isClose = parts.allSatisfy { abs($0.state.difference) < 0.1 }
        var (below, above) = (0.0, 0.0)
        for part in parts {
            let (s1, s2) = ((part.q1 / total1).squareRoot(), (part.q2 / total2).squareRoot())
            // q1 / Q1 − q2 / Q2 for q = (q1 + q2)(1 ± u) / 2 and Q alike is (q1 + q2) (Q1 + Q2) (u − U) / (2 Q1 Q2).
            let apart = parts.reduce(0) { $0 + (part.state.difference - $1.state.difference) * (($1.q1 + $1.q2) / total) }
            let squares = (part.q1 + part.q2) / total1 * (total / total2) * apart / 2
            // Far apart the shares themselves have the digits, and 1 − u has not.
            let ds = isClose ? (s1 + s2 > 0 ? squares / (s1 + s2) : 0) : s1 - s2
            below += s1 * s2 * part.state.below + ds * ds / 2
            above += s1 * s2 * part.state.above + ds * ds / 2
        }
        result.gap = State.gap(below, above)
        return result
    }

    /// See `TilePass.product`.
    private func product(_ inputs: [Int], _ states: [State]) -> State {
        var (gap, isNegative, difference, covariance, theta) = (0.0, false, 0.0, 1.0, 0.0)
        for input in inputs {
            let (state, (q1, q2)) = (states[input], variances(input))
            let factor = q1.squareRoot() * q2.squareRoot() * state.cosine
            theta = theta * factor + covariance * state.theta
            covariance *= factor
            gap += abs(state.gap) * (1 - gap)
            if state.gap.sign == .minus { isNegative.toggle() }
            difference = (difference + state.difference) / (1 + difference * state.difference)
        }
        return State(gap: isNegative ? -gap : gap, difference: difference, theta: theta)
    }
}
