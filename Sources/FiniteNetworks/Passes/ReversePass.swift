internal import LinearAlgebra

/// One block of points on its way back: values that are still read, and cotangents that are still added to.
struct ReversePass<F: NetworkScalar> {
    let program: NetworkProgram<F>
    let plan: PassPlan
    let samples: Int
    /// Rows of each sample.
    let cotangents: Int
    private let inputPorts: [Wire: Port]
    private var values: NetworkProgram<F>.Values
    /// By root: [rows] + its shape; nil: zero, or gone.
    private(set) var buffers: [Buffer?]
    /// Factors of structured weights, by parameter and use.
    private(set) var factors: [Wire: [FactorBuffers]] = [:]
    /// Whether rows are kept cotangent by cotangent instead of sample by sample.
    let isCotangentMajor: Bool

    /// u and v of one use.
    struct FactorBuffers: Sendable {
        var use: StructuredWeight.Use
        var sample: Buffer
        var row: Buffer
    }

    var rows: Int { samples * cotangents }

    /// - Parameter seeds: [rows, outputs].
    init(
        _ program: NetworkProgram<F>, _ plan: PassPlan, values: NetworkProgram<F>.Values, inputs: PreparedInputs<F>, range: Range<Int>,
        cotangents: Int, seeds: Buffer, isCotangentMajor: Bool
    ) {
        self.program = program
        self.plan = plan
        self.values = values
        self.cotangents = cotangents
        self.isCotangentMajor = isCotangentMajor
        samples = range.count
        inputPorts = Dictionary(uniqueKeysWithValues: zip(program.inputs.map(\.wire), inputs.ports.map { $0.from(range.lowerBound) }))
        buffers = [Buffer?](repeating: nil, count: program.values.count)
        buffers[program.values[program.output].root] = seeds
    }

    private func port(_ root: Wire?) -> Port {
        guard let root else { return .absent }
        return inputPorts[root] ?? program.valuePort(root, values.buffers)
    }

    private func cotangentPort(_ root: Wire?) -> Port { root.map { program.port(of: $0, buffers[$0]) } ?? .absent }

    /// Zeros for the cotangents of inputs that have none yet.
    private mutating func open(_ inputs: [Wire?]) {
        for root in inputs.compactMap({ $0 }) where plan.wants[root] && buffers[root] == nil && plan.structuredRoots[root] == nil {
            let count = rows * program.values[root].type.count
            let buffer = Buffer(F.self, count: count)
            buffer.cells(F.self, count).fill(0)
            buffers[root] = buffer
        }
    }

    /// Walks back over a step that depends on the point: adds to its inputs' cotangents and drops its outputs'.
    mutating func walk(_ index: Int, _ context: PassContext) throws {
        let step = program.steps[index]
        defer {
            for root in step.outputs { buffers[root] = nil }
            for root in (step.inputs.compactMap { $0 } + step.outputs) where plan.lastReader[root] == index { values.buffers[root] = nil }
        }
        guard step.outputs.contains(where: { buffers[$0] != nil }) else { return }
        open(step.inputs)
        let tile = BackwardTile<F>(
            samples: samples, cotangents: cotangents, inputs: step.inputs.map { port($0) }, results: step.outputs.map { port($0) },
            outputCotangents: step.outputs.map { cotangentPort($0) },
            inputCotangents: step.inputs.map { root in root.map { plan.wants[$0] } ?? false ? cotangentPort(root) : .absent })
        try context.forEachRange(samples, operations: 2 * step.operation.operations * Double(cotangents)) { samples in
            try step.runBack(tile.part(samples))
        }
        for (place, root) in step.inputs.enumerated() {
            guard let root, let parameter = plan.structuredRoots[root],
                let use = plan.structured[parameter]?.weight.uses.first(where: { $0.step == index && $0.input == place })
            else { continue }
            let products = use.products
            let sampleCount = products.positions * (products.isOneHot ? 1 : products.sampleExtent)
            let rowCount = products.positions * products.rowExtent
            let sample = products.isOneHot ? Buffer(Int64.self, count: samples * sampleCount) : Buffer(F.self, count: samples * sampleCount)
            let row = Buffer(F.self, count: rows * rowCount)
            let size = MemoryLayout<F>.stride
            let target = FactorTarget<F>(
                sample: Port(address: sample.address, stride: sampleCount, count: sampleCount, size: products.isOneHot ? 8 : size),
                row: Port(address: row.address, stride: rowCount, count: rowCount, size: size), cotangents: cotangents,
                sampleStride: isCotangentMajor ? rowCount : cotangents * rowCount, cotangentStride: isCotangentMajor ? samples * rowCount : rowCount)
            try context.forEachRange(samples, operations: Double(sampleCount + cotangents * rowCount)) { samples in
                try step.operation.writeFactors(of: place, tile.part(samples), target.from(samples.lowerBound))
            }
            factors[parameter, default: []].append(FactorBuffers(use: use, sample: sample, row: row))
        }
    }

    /// Walks back over a step that all points share.
    mutating func walkStatic(_ index: Int, _ context: PassContext) throws {
        let step = program.staticSteps[index]
        defer { for root in step.outputs { buffers[root] = nil } }
        guard step.outputs.contains(where: { buffers[$0] != nil }) else { return }
        open(step.inputs)
        func constant(_ root: Wire?) -> Port { root.map { program.port(of: $0, program.values[$0].constant, stride: 0) } ?? .absent }
        let tile = BackwardTile<F>(
            samples: samples, cotangents: cotangents, inputs: step.inputs.map(constant), results: step.outputs.map { constant($0) },
            outputCotangents: step.outputs.map { cotangentPort($0) },
            inputCotangents: step.inputs.map { root in root.map { plan.wants[$0] } ?? false ? cotangentPort(root) : .absent })
        try context.forEachRange(samples, operations: 2 * step.operation.operations * Double(cotangents)) { samples in
            try step.runBack(tile.part(samples))
        }
    }

    mutating func dropCotangent(_ root: Wire) { buffers[root] = nil }
    mutating func dropFactors(_ parameter: Wire) { factors[parameter] = nil }
}

extension BackwardTile {
    /// Some of its samples.
    func part(_ samples: Range<Int>) -> BackwardTile {
        let start = samples.lowerBound
        return BackwardTile(
            samples: samples.count, cotangents: cotangents, inputs: inputs.map { $0.from(start) }, results: results.map { $0.from(start) },
            outputCotangents: outputCotangents.map { $0.from(start * cotangents) },
            inputCotangents: inputCotangents.map { $0.from(start * cotangents) })
    }
}
