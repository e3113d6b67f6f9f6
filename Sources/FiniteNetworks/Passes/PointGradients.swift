public import LinearAlgebra

/// Which number of each point a gradient is of.
public enum PointScalar: Sendable {
    /// One output, by its place in the flattened output.
    case output(Int)
    /// A functional of the logits and each point's label.
    case functional(LabelFunctional, labels: [Int])
}

extension NetworkProgram {
    /// φ(x) for each point: its gradient [parameters], or a random projection of it, of which E⟨φ(x), φ(x')⟩ is the tangent kernel.
    ///
    /// Time: a way forward and back for each point, and 2 n p D for a projection. Memory: bounded by `context.blockBytes`, one point's gradient
    /// of the largest parameter and the result.
    /// - Parameters:
    ///   - parameters: names of those that take part; nil for those that count by default.
    ///   - projection: nil for the gradient itself, parameters one behind the other in the program's order.
    /// - Returns: [n, parameters], or [n, dimension].
    /// - Throws: `GraphError` for points, labels and outputs that do not fit, `CancellationError`.
    @specialized(where F == Double)
    @specialized(where F == Float)
    public func gradientFeatures(
        _ points: [String: NetworkInput], _ scalar: PointScalar, parameters: [String]?, _ projection: RandomProjection?,
        _ context: PassContext = PassContext()
    ) throws -> Matrix<F> {
        let inputs = try PreparedInputs(points, self)
        defer { withExtendedLifetime(inputs) {} }
        let plan = try gradientPlan(parameters)
        let seeds = try KernelSeeds(self, scalar.question, counts: (inputs.count, inputs.count))
        let counts = plan.parameters.map { self.parameters[$0].count }
        let width = projection?.dimension ?? counts.reduce(0, +)
        let result = Matrix<F>(zeroRows: inputs.count, columns: width)
        defer { withExtendedLifetime(result) {} }
        let all = unsafe Cells<F>(address: UInt(bitPattern: result.base), count: inputs.count * width)
        var starts: [Int: Int] = [:]
        var start = 0
        for (parameter, count) in zip(plan.parameters, counts) {
            starts[parameter] = start
            start += count
        }
        let block = gradientBlock(plan, points: inputs.count, blockBytes: context.blockBytes).points
        for first in stride(from: 0, to: inputs.count, by: block) {
            let range = first..<min(first + block, inputs.count)
            let values = try forward(inputs, range, keeps: plan.keeps, lastUses: plan.lastUses, context)
            defer { withExtendedLifetime(values) {} }
            let seed = try seeds.buffer(outputCells(values, inputs, range), range, isLeft: true)
            var pass = ReversePass(
                self, plan, values: values, inputs: inputs, range: range, cotangents: 1, seeds: seed, isCotangentMajor: false)
            try GradientWalk(program: self, plan: plan, context: context).run(&pass) { place, gradient in
                guard case .rows(let rows) = gradient else { return }
                let parameter = self.parameters[place]
                let target = all.from(range.lowerBound * width, range.count * width)
                if let projection {
                    try projection.add(rows, range.count, parameter.count, of: parameter.name, to: target, context)
                } else {
                    let start = starts[place] ?? 0
                    for row in 0..<range.count {
                        target.from(row * width + start, parameter.count).copy(rows.from(row * parameter.count, parameter.count))
                    }
                }
            }
        }
        return result
    }

    /// Bytes that `gradientFeatures` takes beside its result, and its floating-point operations but for the projection.
    /// - Throws: `GraphError` for names of parameters that there are not.
    public func gradientCost(_ points: Int, parameters: [String]?, blockBytes: Int) throws(GraphError) -> (operations: Double, bytes: Int) {
        let plan = try gradientPlan(parameters)
        let (block, each) = gradientBlock(plan, points: points, blockBytes: blockBytes)
        let count = plan.parameters.reduce(0) { $0 + self.parameters[$1].count }
        return (Double(points) * (3 * forwardOperations + 2 * Double(count)), block.multipliedClamped(by: each))
    }

    /// Numbers of the chosen parameters.
    public func parameterCount(_ names: [String]?) throws(GraphError) -> Int {
        var question = KernelQuestion()
        question.parameters = names
        return try chosen(question).reduce(0) { $0.addingClamped(parameters[$1].count) }
    }

    /// A plan by which gradients come as they are.
    private func gradientPlan(_ names: [String]?) throws(GraphError) -> PassPlan {
        var question = KernelQuestion()
        question.parameters = names
        return PassPlan(self, parameters: try chosen(question)) { _ in nil }
    }
}

extension PointScalar {
    fileprivate var question: KernelQuestion {
        var question = KernelQuestion()
        switch self {
        case .output(let output): question.chosenOutputs = [output]
        case .functional(let kind, let labels): question.functional = (kind, labels, labels)
        }
        return question
    }
}
