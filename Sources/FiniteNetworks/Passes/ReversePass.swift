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
        /// Nil where it is an input of the network.
        var sample: Buffer?
        var sampleAddress: UInt
        var row: Buffer
        /// Whether the factors are [extent, positions], and whether v is kept cotangent by cotangent.
        var isPlanar: Bool
        var isCotangentMajor: Bool
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

    /// Makes the cotangents of inputs that have none yet: zeros, but for those that the operation overwrites.
    /// - Returns: the latter.
    private mutating func open(_ step: Step) -> Set<Int> {
        var fresh: Set<Int> = []
        for (place, root) in step.inputs.enumerated() {
            guard let root, plan.wants[root], buffers[root] == nil, plan.structuredRoots[root] == nil else { continue }
            let count = rows * program.values[root].type.count
            let buffer = Buffer(F.self, count: count)
            if step.operation.overwrites(place), step.inputs.filter({ $0 == root }).count == 1 {
                fresh.insert(place)
            } else {
                buffer.cells(F.self, count).fill(0)
            }
            buffers[root] = buffer
        }
        return fresh
    }

    /// Walks back over a step that depends on the point: adds to its inputs' cotangents and drops its outputs'.
    mutating func walk(_ index: Int, _ context: PassContext) throws {
        let step = program.steps[index]
        defer {
            for root in step.outputs { buffers[root] = nil }
            for root in (step.inputs.compactMap { $0 } + step.outputs) where plan.lastReader[root] == index { values.buffers[root] = nil }
        }
        guard step.outputs.contains(where: { buffers[$0] != nil }) else { return }
        let fresh = open(step)
        let tile = BackwardTile<F>(
            samples: samples, cotangents: cotangents, inputs: step.inputs.map { port($0) }, results: step.outputs.map { port($0) },
            outputCotangents: step.outputs.map { cotangentPort($0) },
            inputCotangents: step.inputs.map { root in root.map { plan.wants[$0] } ?? false ? cotangentPort(root) : .absent }, fresh: fresh)
        try context.forEachRange(samples, operations: 2 * step.operation.operations * Double(cotangents)) { samples in
            try step.runBack(tile.part(samples))
        }
        for (place, root) in step.inputs.enumerated() {
            guard let root, let parameter = plan.structuredRoots[root],
                let use = plan.structured[parameter]?.weight.uses.first(where: { $0.step == index && $0.input == place })
            else { continue }
            let products = use.products
            // In the gradients' way factors are taken as the operation has them, and so they are where that is the order of the other way.
            let isNatural = plan.structured[parameter]?.way != .grams || !products.isPlanar && !isCotangentMajor
            let size = MemoryLayout<F>.stride
            let (sampleCount, rowCount) = (
                products.positions * (products.isOneHot ? 1 : products.sampleExtent), products.positions * products.rowExtent
            )
            var factor = FactorBuffers(
                use: use, sample: nil, sampleAddress: 0, row: Buffer(F.self, count: 0), isPlanar: isNatural && products.isPlanar,
                isCotangentMajor: isCotangentMajor && !isNatural)
            var (samplePort, rowPort) = (Port.absent, Port.absent)
            if isNatural, let input = products.sampleInput, tile.inputs[input].stride == sampleCount {
                factor.sample = step.inputs[input].flatMap { values.buffers[$0] }
                factor.sampleAddress = tile.inputs[input].address
            } else {
                let buffer = products.isOneHot ? Buffer(Int64.self, count: samples * sampleCount) : Buffer(F.self, count: samples * sampleCount)
                factor.sample = buffer
                factor.sampleAddress = buffer.address
                samplePort = Port(address: buffer.address, stride: sampleCount, count: sampleCount, size: products.isOneHot ? 8 : size)
            }
            if isNatural, products.rowIsCotangent, let cotangent = buffers[step.outputs[0]] {
                factor.row = cotangent
            } else {
                factor.row = Buffer(F.self, count: rows * rowCount)
                rowPort = Port(address: factor.row.address, stride: rowCount, count: rowCount, size: size)
            }
            let target = FactorTarget<F>(
                sample: samplePort, row: rowPort, cotangents: cotangents, isPlanar: factor.isPlanar,
                sampleStride: factor.isCotangentMajor ? rowCount : cotangents * rowCount,
                cotangentStride: factor.isCotangentMajor ? samples * rowCount : rowCount)
            if target.wantsSample || target.wantsRow {
                try context.forEachRange(samples, operations: Double(sampleCount + cotangents * rowCount)) { samples in
                    try step.operation.writeFactors(of: place, tile.part(samples), target.from(samples.lowerBound))
                }
            }
            factors[parameter, default: []].append(factor)
        }
    }

    /// Walks back over a step that all points share.
    mutating func walkStatic(_ index: Int, _ context: PassContext) throws {
        let step = program.staticSteps[index]
        defer { for root in step.outputs { buffers[root] = nil } }
        guard step.outputs.contains(where: { buffers[$0] != nil }) else { return }
        let fresh = open(step)
        func constant(_ root: Wire?) -> Port { root.map { program.port(of: $0, program.values[$0].constant, stride: 0) } ?? .absent }
        let tile = BackwardTile<F>(
            samples: samples, cotangents: cotangents, inputs: step.inputs.map(constant), results: step.outputs.map { constant($0) },
            outputCotangents: step.outputs.map { cotangentPort($0) },
            inputCotangents: step.inputs.map { root in root.map { plan.wants[$0] } ?? false ? cotangentPort(root) : .absent }, fresh: fresh)
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
            inputCotangents: inputCotangents.map { $0.from(start * cotangents) }, fresh: fresh)
    }
}
