internal import Glibc
package import LinearAlgebra

/// Training of an infinitely wide, or linearized, network with the loss −mean over points of log p_y, p = softmax(f): with a kernel Θ
///
///     f(t) = f₀ − Θ a(t),   f_*(t) = f_*₀ − Θ_* a(t),   da/dt = η (softmax(f) − y)/n,   a(0) = 0
///
/// (Lee et al. 2019, arXiv 1902.06720, eq. 14), by the Runge–Kutta pair of Dormand & Prince (1980) with steps for an error of the outputs of
/// `tolerance`, or by the steps of gradient descent, in which dt is 1. There is no closed form, as there is for squared errors.
package struct CrossEntropyFlow: Sendable {
    private let kernel: Matrix<Double>
    private let initial: Matrix<Double>
    private let classes: [Int]
    private let rate: Double
    private let isDiscrete: Bool
    private let areOutputsApart: Bool

    /// Of outputs in one step, relative to 1 + the largest.
    private static let tolerance = 1e-10
    /// Products with the kernel at the most.
    package static let mostProducts = 200_000

    /// - Parameters:
    ///   - kernel: Θ [n, n] for every output; or [n · k, n · k] of all, in the order point, output.
    ///   - initial: f₀ [n, k].
    ///   - classes: of each point its class.
    ///   - rate: η.
    ///   - isDiscrete: whether times are steps of gradient descent.
    package init(
        _ kernel: Matrix<Double>, initial: Matrix<Double>, classes: [Int], rate: Double, isDiscrete: Bool, areOutputsApart: Bool
    ) {
        precondition(kernel.rows == initial.rows * (areOutputsApart ? initial.columns : 1) && kernel.rows == kernel.columns)
        (self.kernel, self.initial, self.classes, self.rate) = (kernel, initial, classes, rate)
        (self.isDiscrete, self.areOutputsApart) = (isDiscrete, areOutputsApart)
    }

    /// f₀ − Θ a [r, k] for Θ [r, n], or [r · k, n · k].
    package func outputs(
        _ kernel: Matrix<Double>, _ state: Matrix<Double>, initial: Matrix<Double>, on executor: any TileExecutor
    ) throws -> Matrix<Double> {
        let k = state.columns
        let rows = areOutputsApart ? state.reshaped(rows: state.rows * k, columns: 1) : state
        return initial.subtracting(try kernel.multiply(rows, on: executor).reshaped(rows: initial.rows, columns: k))
    }

    package func outputs(_ state: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try outputs(kernel, state, initial: initial, on: executor)
    }

    /// −mean log p_y.
    package func loss(_ outputs: Matrix<Double>) -> Double {
        -OutputCurvature.logLikelihood(outputs, classes: classes) / Double(max(classes.count, 1))
    }

    /// η (p − y)/n at f₀ − Θ a.
    private func slope(_ state: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let outputs = try outputs(state, on: executor)
        guard outputs.isFinite else { throw CrossEntropyError.diverged }
        let slope = LabelNumber.lossDerivatives(OutputCurvature.probabilities(outputs), classes: classes)
        slope.scaleColumns([Double](repeating: rate / Double(classes.count), count: slope.columns))
        return slope
    }

    /// a [n, k] at each of the times.
    /// - Parameter times: ascending, ≥ 0; whole numbers where they are steps.
    /// - Throws: `CrossEntropyError`; what the executor throws.
    /// - Time: 2 n² k a product; six products a step of a flow, one a step of descent.
    package func states(_ times: [Double], on executor: any TileExecutor) throws -> [Matrix<Double>] {
        var state = Matrix<Double>(zeroRows: initial.rows, columns: initial.columns)
        var (time, products) = (0.0, 0)
        var states: [Matrix<Double>] = []
        guard !isDiscrete else {
            for end in times {
                while time < end {
                    guard products < Self.mostProducts else { throw CrossEntropyError.tooLong(reached: time) }
                    state = state.adding(try slope(state, on: executor))
                    (time, products) = (time + 1, products + 1)
                }
                states.append(state)
            }
            return states
        }
        var first = try slope(state, on: executor)
        // So that the first step changes no output by more than a hundredth.
        let change = try outputs(first, on: executor).subtracting(initial).largestMagnitude
        var step = change > 0 ? 0.01 / change : .infinity
        for end in times {
            while time < end {
                guard products < Self.mostProducts else { throw CrossEntropyError.tooLong(reached: time) }
                let isLast = time + step >= end
                let own = isLast ? end - time : step
                let (next, last, error) = try advance(state, first, own, on: executor)
                products += 7
                let growth = min(5, max(0.2, 0.9 * pow(max(error, 1e-30), -0.2)))
                if error <= 1 {
                    (state, first) = (next, last)
                    time = isLast ? end : time + own
                    // A step that was cut off says nothing against a longer one.
                    step = max(isLast ? step : 0, own * growth)
                } else {
                    step = own * growth
                    guard time + step > time else { throw CrossEntropyError.tooLong(reached: time) }
                }
            }
            states.append(state)
        }
        return states
    }

    private static let nodes: [[Double]] = [
        [1.0 / 5],
        [3.0 / 40, 9.0 / 40],
        [44.0 / 45, -56.0 / 15, 32.0 / 9],
        [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
        [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
        [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
    ]
    private static let errors = [71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40]

    /// The state after a step, its slope, and the error of outputs in units of what is allowed.
    private func advance(
        _ state: Matrix<Double>, _ first: Matrix<Double>, _ step: Double, on executor: any TileExecutor
    ) throws -> (state: Matrix<Double>, slope: Matrix<Double>, error: Double) {
        let k = state.columns
        var slopes = [first]
        var next = state
        for weights in Self.nodes {
            next = state.copy()
            for (weight, slope) in zip(weights, slopes) where weight != 0 { next.add(slope, scaled: [Double](repeating: step * weight, count: k)) }
            slopes.append(try slope(next, on: executor))
        }
        let error = Matrix<Double>(zeroRows: state.rows, columns: k)
        for (weight, slope) in zip(Self.errors, slopes) where weight != 0 { error.add(slope, scaled: [Double](repeating: step * weight, count: k)) }
        let zero = Matrix<Double>(zeroRows: initial.rows, columns: k)
        let change = try outputs(kernel, error, initial: zero, on: executor).largestMagnitude
        return (next, slopes[6], change / (Self.tolerance * (1 + initial.largestMagnitude)))
    }
}

/// Why a training with cross-entropy has no outputs.
package enum CrossEntropyError: Error, Sendable, Equatable {
    /// It would take more products with the kernel than may be; times up to this one are reached.
    case tooLong(reached: Double)
    /// Outputs leave the range of float64.
    case diverged
}
