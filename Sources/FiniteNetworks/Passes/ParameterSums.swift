public import LinearAlgebra

extension NetworkProgram {
    /// f(x), and Σ over points and outputs of c ∂f/∂θ, the gradient of a loss whose derivative by the outputs is c.
    ///
    /// Time: a way forward and back, and 2 n t p for weights of t positions. Memory: bounded by `context.blockBytes`, and the gradient.
    /// - Parameters:
    ///   - parameters: names of those that take part; nil for those that count by default.
    ///   - derivative: c of the points of a block from their outputs, both [points, outputs].
    /// - Returns: the outputs [n, outputs], and a gradient in the shape of each parameter that takes part, in the program's order.
    @specialized(where F == Double)
    @specialized(where F == Float)
    public func gradient(
        _ points: [String: NetworkInput], parameters: [String]?, _ context: PassContext = PassContext(),
        derivative: (_ outputs: [F], _ range: Range<Int>) throws -> [F]
    ) throws -> (outputs: [F], gradient: [Storage<F>]) {
        let inputs = try PreparedInputs(points, self)
        defer { withExtendedLifetime(inputs) {} }
        let plan = try sumPlan(parameters)
        let sums = plan.parameters.map { Storage<F>(count: self.parameters[$0].count) }
        for sum in sums { unsafe sum.base.initialize(repeating: 0, count: sum.count) }
        let index = Dictionary(uniqueKeysWithValues: plan.parameters.enumerated().map { ($1, $0) })
        var all: [F] = []
        let block = gradientBlock(plan, points: inputs.count, blockBytes: context.blockBytes).points
        for first in stride(from: 0, to: inputs.count, by: block) {
            let range = first..<min(first + block, inputs.count)
            let values = try forward(inputs, range, keeps: plan.keeps, lastUses: plan.lastUses, context)
            defer { withExtendedLifetime(values) {} }
            let outputs = outputCells(values, inputs, range).elements
            let start = try derivative(outputs, range)
            precondition(start.count == outputs.count)
            all += outputs
            let seed = Buffer(F.self, count: start.count)
            let cells = seed.cells(F.self, start.count)
            for place in start.indices { cells[place] = start[place] }
            var pass = ReversePass(
                self, plan, values: values, inputs: inputs, range: range, cotangents: 1, seeds: seed, isCotangentMajor: false)
            try GradientWalk(program: self, plan: plan, context: context).run(&pass) { place, gradient in
                guard let sum = index[place].map({ sums[$0] }) else { return }
                let target = unsafe Cells<F>(address: UInt(bitPattern: sum.base), count: sum.count)
                switch gradient {
                case .rows(let rows): for row in 0..<range.count { target.add(rows.from(row * sum.count, sum.count)) }
                case .factors(let weight, let sides): try weight.addSum(of: sides, to: target, context)
                }
            }
            withExtendedLifetime(sums) {}
        }
        return (all, sums)
    }

    /// Bytes that `gradient` takes beside its result, and its floating-point operations.
    public func gradientSumCost(_ points: Int, parameters: [String]?, blockBytes: Int) throws(GraphError) -> (operations: Double, bytes: Int) {
        let plan = try sumPlan(parameters)
        let (block, each) = gradientBlock(plan, points: points, blockBytes: blockBytes)
        return (Double(points) * 3 * forwardOperations, block.multipliedClamped(by: each))
    }

    private func sumPlan(_ names: [String]?) throws(GraphError) -> PassPlan {
        var question = KernelQuestion()
        question.parameters = names
        return PassPlan(self, parameters: try chosen(question)) { _ in .gradients }
    }

    // MARK: Other values of parameters

    /// The numbers of a parameter, in its shape.
    public func numbers(of parameter: Parameter) -> [F] {
        values[parameter.wire].constant?.cells(F.self, parameter.count).elements ?? []
    }

    /// The same network with other numbers in some of its parameters; what is made of them alone is made again.
    /// - Parameter numbers: by the parameters' names, each as many as the parameter has.
    public func replacing(_ numbers: [(name: String, values: Storage<F>)]) throws(GraphError) -> NetworkProgram {
        var values = values
        var changed: Set<Wire> = []
        for (name, new) in numbers {
            guard let parameter = parameters.first(where: { $0.name == name }), parameter.count == new.count else {
                throw GraphError(.points, "the network has no parameter \"\(name)\" of \(new.count) numbers")
            }
            let buffer = Buffer(F.self, count: new.count)
            unsafe buffer.cells(F.self, new.count).copy(Cells(address: UInt(bitPattern: new.base), count: new.count))
            withExtendedLifetime(new) {}
            values[parameter.wire].constant = buffer
            changed.insert(parameter.wire)
        }
        for step in staticSteps where step.inputs.contains(where: { $0.map(changed.contains) ?? false }) {
            func port(_ wire: Wire?) -> Port { wire.map { self.port(of: $0, values[$0].constant, stride: 0) } ?? .absent }
            for wire in step.outputs {
                let type = values[wire].type
                values[wire].constant = type.isReal ? Buffer(F.self, count: type.count) : Buffer(Int64.self, count: type.count)
            }
            try step.run(ForwardTile<F>(samples: 1, inputs: step.inputs.map(port), outputs: step.outputs.map { port($0) }))
            changed.formUnion(step.outputs)
        }
        return NetworkProgram(
            values: values, steps: steps, staticSteps: staticSteps, inputs: inputs, output: output, outputShape: outputShape,
            parameters: parameters)
    }
}

extension StructuredWeight {
    /// Adds Σ over rows, uses and terms of u ⊗ v to the weight, some of its rows on each thread.
    fileprivate func addSum<F: NetworkScalar>(of sides: [KernelSide], to target: Cells<F>, _ context: PassContext) throws {
        let operations = 2 * Double(rows) * Double(columns) * Double(positions) * Double(sides.first?.rows ?? 0)
        let pieces = operations < 1e6 ? 1 : max(1, min(8, rows / 16))
        let weight = self
        try context.executor.forEach(pieces) { piece in
            let range = weight.rows * piece / pieces..<weight.rows * (piece + 1) / pieces
            for side in sides { weight.addSum(of: side, range, to: target.from(range.lowerBound * weight.columns, range.count * weight.columns)) }
        }
    }

    private func addSum<F: NetworkScalar>(of side: KernelSide, _ range: Range<Int>, to target: Cells<F>) {
        let products = side.use.products
        if products.isOneHot {
            for row in 0..<side.rows { side.addOneHot(row, range, columns: columns, to: target) }
        } else if side.isPlanar {
            for row in 0..<side.rows {
                let (u, v) = (side.sampleFactor(row / side.cotangents, F.self), side.rowFactor(row, F.self))
                let (a, b) = side.use.sampleIsFirst ? (u, v) : (v, u)
                let t = side.positions
                unsafe F.gemmTransposed(
                    range.count, columns, t, alpha: 1, a.base + range.lowerBound * t, t, b.base, t, beta: 1, target.base, columns)
            }
        } else {
            // Of one cotangent a sample, terms of all samples stand one behind the other.
            let (u, v) = (side.sampleFactor(0, F.self), side.rowFactor(0, F.self))
            let (a, b) = side.use.sampleIsFirst ? (u, v) : (v, u)
            unsafe F.gemmLeftTransposed(
                range.count, columns, side.rows * side.positions, alpha: 1, a.base + range.lowerBound, rows, b.base, columns, beta: 1,
                target.base, columns)
        }
    }
}
