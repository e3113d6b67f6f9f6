import Architecture
public import LinearAlgebra

extension FiniteNetwork {
    /// f(x) and Σ_{n,o} c_no ∂f_o(x_n)/∂θ, the gradient of a loss whose derivative with respect to the outputs is c.
    ///
    /// Time: a forward pass and two backward. Memory: all layers' values for n points, and eight copies of the parameters.
    /// - Parameters:
    ///   - cotangent: from the outputs [n, outputs] to c of the same shape.
    /// - Returns: the outputs, and the gradient in the shapes of the parameters; zeros for those that are not trainable.
    public func gradient(
        _ x: Matrix<Double>, parameters: NetworkParameters, patterns: Matrix<Double>? = nil, on executor: any TileExecutor = ConcurrentTiles(),
        cotangent: (Matrix<Double>) throws -> Matrix<Double>
    ) throws -> (outputs: Matrix<Double>, gradient: NetworkParameters) {
        let weights = NetworkWeights<Double>(parameters, program)
        let forward = try ForwardPass<Double>(program, weights, x, patterns: patterns, rows: 0..<x.rows, on: executor)
        let outputs = Matrix(rows: x.rows, columns: self.outputs, forward.output.elements)
        let start = try cotangent(outputs)
        precondition(start.rows == x.rows && start.columns == self.outputs)
        let included = Set(program.parameters.indices.filter { program.parameters[$0].isTrainable })
        var backward = BackwardPass(forward, outputs: 1, start: Cotangent(storage: start.storage, isShared: false), included: included)
        let sums = program.parameters.map { Storage<Double>(zeros: $0.count) }
        for index in program.instructions.indices.reversed() {
            if let own = backward.cotangent(of: index) {
                try ParameterGradient(forward: forward, cotangent: own, sums: sums, included: included).add(index, on: executor)
            }
            try backward.propagate(index, on: executor)
        }
        return (outputs, NetworkParameters(values: zip(sums, program.parameters).map { $1.restored($0) }))
    }
}

extension NetworkParameter {
    /// From the order of memory to that of the array that came.
    fileprivate func restored(_ values: Storage<Double>) -> Storage<Double> {
        if case .asGiven = layout { return values }
        let result = Storage<Double>(count: count)
        for place in 0..<count { unsafe result.base[source(place)] = values.base[place] }
        return result
    }
}

/// Sums the gradients of one instruction's parameters over points, in a fixed order.
struct ParameterGradient: Sendable {
    let forward: ForwardPass<Double>
    let cotangent: Cotangent<Double>
    let sums: [Storage<Double>]
    let included: Set<Int>
    /// Groups of points that are summed at the same time; not the number of threads, so that the result does not depend on it.
    static let groups = 8

    func add(_ index: Int, on executor: any TileExecutor) throws {
        let instruction = forward.program.instructions[index]
        let parameters = instruction.parameters.filter { included.contains($0) }
        guard !parameters.isEmpty else { return }
        let size = max(1, (forward.count + Self.groups - 1) / Self.groups)
        let blocks = TileGrid(rows: forward.count, columns: 1, side: size, upperOnly: false).tiles.map(\.rows)
        let partial = blocks.map { _ in parameters.map { Storage<Double>(zeros: sums[$0].count) } }
        try executor.forEach(blocks.count) { block in
            let targets = Dictionary(uniqueKeysWithValues: zip(parameters, partial[block]))
            for point in blocks[block] { addPoint(index, point, targets) }
        }
        for group in partial {
            for (parameter, values) in zip(parameters, group) {
                for place in 0..<values.count { unsafe sums[parameter].base[place] += values.base[place] }
            }
        }
    }

    private func addPoint(_ index: Int, _ point: Int, _ targets: [Int: Storage<Double>]) {
        let instruction = forward.program.instructions[index]
        let size = forward.program.values[index + 1].size
        let source = unsafe cotangent.storage.base + (cotangent.isShared ? 0 : point * size)
        switch instruction.operation {
        case .linear(let step):
            let (positions, width, patch) = (step.outputPositions, step.outputChannels, step.patch)
            if let target = targets[step.weight] {
                let input = unsafe forward.pointer(instruction.inputs[0], point)
                let scratch = step.taps == nil ? nil : Storage<Double>(count: positions * patch)
                if let scratch { unsafe Positions.gather(step, input, scratch.base) }
                let patches = unsafe scratch?.base ?? input
                for row in 0..<positions {
                    let weights = unsafe target.base + (step.isLocal ? row * width * patch : 0)
                    // An outer product; derivatives are often zero, as behind a relu.
                    for channel in 0..<width {
                        let factor = unsafe step.weightScale * source[row * width + channel]
                        if factor == 0 { continue }
                        let (to, from) = unsafe (weights + channel * patch, patches + row * patch)
                        for place in 0..<patch { unsafe to[place] += factor * from[place] }
                    }
                }
                _ = scratch
            }
            if let bias = step.bias, let target = targets[bias] {
                let length = step.isLocal ? positions * width : width
                for place in 0..<positions * width { unsafe target.base[place % length] += step.biasScale * source[place] }
            }
        case .scale(let weight, let bias, let places):
            let input = unsafe forward.pointer(instruction.inputs[0], point)
            for (element, place) in places.enumerated() {
                if let weight, let target = targets[weight] { unsafe target.base[Int(place)] += source[element] * input[element] }
                if let bias, let target = targets[bias] { unsafe target.base[Int(place)] += source[element] }
            }
        case .embedding(let parameter, let factor):
            guard let target = targets[parameter] else { return }
            for place in 0..<size { unsafe target.base[place] += factor * source[place] }
        default: return
        }
    }
}
