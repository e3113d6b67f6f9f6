import Architecture
public import LinearAlgebra

/// Full-batch gradient descent on a finite network with the loss ½ · mean over points and outputs of (f − y)², the loss of the kernel's
/// dynamics, so that a lazy network's outputs follow f(t) of its tangent kernel with t = steps.
///
///     v ← μ v − η ∇L,   θ ← θ + v
public struct NetworkTraining: Sendable {
    public let network: FiniteNetwork
    public let learningRate: Double
    /// μ; 0 is plain gradient descent.
    public let momentum: Double
    public private(set) var parameters: NetworkParameters
    /// Steps that have been made.
    public private(set) var step = 0
    private let initial: NetworkParameters
    private var velocity: NetworkParameters?

    public init(_ network: FiniteNetwork, _ parameters: NetworkParameters, learningRate: Double, momentum: Double = 0) {
        self.network = network
        self.learningRate = learningRate
        self.momentum = momentum
        self.parameters = parameters
        initial = parameters
    }

    /// A step on so many points: forward, backward, the gradient, and the change of the parameters, number by number.
    public static func stepWork(_ network: FiniteNetwork, points: Int, hasMomentum: Bool) -> Work {
        let program = network.program
        let updates = Work(.loops, (hasMomentum ? 60 : 40) * Double(network.parameterCount)).onOneThread
        return program.forwardWork(points: points) + program.backwardWork(points: points, outputs: 1) + program.weightGradientWork(points: points)
            + updates + Work(.calls, 2 * Double(program.instructions.count) + 6).onOneThread
    }

    /// Makes one step.
    /// - Parameters:
    ///   - x: [n, features].
    ///   - y: [n, outputs].
    /// - Returns: the outputs [n, outputs] and the loss before the step.
    /// - Throws: `NetworkError.overflow` when the training diverges; what the executor throws.
    public mutating func advance(
        _ x: Matrix<Double>, _ y: Matrix<Double>, patterns: Matrix<Double>? = nil, on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> (outputs: Matrix<Double>, loss: Double) {
        precondition(y.rows == x.rows && y.columns == network.outputs)
        let count = Double(y.rows * y.columns)
        var loss = 0.0
        let (outputs, gradient) = try network.gradient(x, parameters: parameters, patterns: patterns, on: executor) { outputs in
            let difference = Matrix<Double>(uninitializedRows: y.rows, columns: y.columns)
            for place in 0..<y.rows * y.columns {
                let value = unsafe outputs.base[place] - y.base[place]
                unsafe difference.base[place] = value / count
                loss += value * value / (2 * count)
            }
            guard loss.isFinite else { throw NetworkError.overflow(precision: "float64") }
            return difference
        }
        let change = gradient.scaled(by: -learningRate)
        let velocity = velocity.map { $0.scaled(by: momentum).adding(change) } ?? change
        if momentum != 0 { self.velocity = velocity }
        parameters = parameters.adding(velocity)
        step += 1
        return (outputs, loss)
    }

    /// All that the next step needs: the parameters, and with momentum the velocity after them.
    public var state: [Storage<Double>] { parameters.values + (velocity?.values ?? []) }

    /// Goes on from a state that another training of the same network had come to.
    public mutating func resume(at step: Int, from state: [Storage<Double>]) {
        let count = parameters.values.count
        precondition(state.count == count || state.count == 2 * count)
        self.step = step
        parameters = NetworkParameters(values: Array(state[..<count]))
        velocity = state.count > count ? NetworkParameters(values: Array(state[count...])) : nil
    }

    /// ‖θ − θ₀‖ and that divided by ‖θ₀‖: how far the parameters have come.
    public var distance: (absolute: Double, relative: Double) {
        let moved = parameters.adding(initial.scaled(by: -1)).norm
        let norm = initial.norm
        return (moved, norm > 0 ? moved / norm : 0)
    }
}

extension NetworkParameters {
    public func adding(_ other: NetworkParameters) -> NetworkParameters {
        NetworkParameters(
            values: zip(values, other.values).map { left, right in
                let result = Storage<Double>(count: left.count)
                for place in 0..<left.count { unsafe result.base[place] = left.base[place] + right.base[place] }
                return result
            })
    }

    public func scaled(by factor: Double) -> NetworkParameters {
        NetworkParameters(
            values: values.map { value in
                let result = Storage<Double>(count: value.count)
                for place in 0..<value.count { unsafe result.base[place] = factor * value.base[place] }
                return result
            })
    }

    /// The Euclidean norm of all parameters together.
    public var norm: Double {
        var sum = 0.0
        for value in values {
            for place in 0..<value.count { unsafe sum += value.base[place] * value.base[place] }
        }
        return sum.squareRoot()
    }
}
