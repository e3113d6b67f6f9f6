internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/empirical-kernels` of a network from a file, validated.
struct ModelKernel<F: NetworkScalar & AnswerElement>: ModelTask {
    let compiled: CompiledModel<F>
    let x1: ModelPoints
    let x2: ModelPoints?
    let kinds: [KernelKind]
    let asked: ModelQuestion
    let precision: KernelRequest.Precision
    let cost: KernelCost

    private init(
        _ reader: inout ObjectReader, _ compiled: CompiledModel<F>, _ x1: ModelPoints, _ x2: ModelPoints?, _ precision: KernelRequest.Precision
    ) throws(ProblemDetails) {
        (self.compiled, self.x1, self.x2, self.precision) = (compiled, x1, x2, precision)
        kinds = try KernelRequest.kinds(reader.optional("kinds"))
        asked = try ModelQuestion(&reader, compiled.program, counts: (x1.count, x2?.count))
        guard asked.question.functional == nil || !kinds.contains(.nngp) else {
            throw .invalid("/outputs/functional", "no functional expected with \"nngp\", which is the product of outputs")
        }
        do {
            cost = try compiled.program.cost(x1.count, x2?.count, asked.question, blockBytes: ModelPasses.blockBytes)
        } catch {
            throw compiled.file.problem(error, points: x1.field)
        }
    }

    var work: Work {
        let outputs = ModelPasses.outputsWork(compiled.program, points: x1.count.addingClamped(x2?.count ?? 0))
        let pairs = Double(x1.count) * Double(x2?.count ?? x1.count)
        let k = Double(compiled.program.outputCount)
        var work = Work.none
        if kinds.contains(.ntk) {
            let blocks = (x1.count + cost.block - 1) / max(cost.block, 1)
            work += ModelPasses.work(cost.operations, steps: compiled.program.stepCount, blocks: blocks)
        }
        if kinds.contains(.nngp) { work += outputs + Work(.products, 2 * pairs * k * max(Double(asked.pairShape.clampedProduct) / max(k, 1), 1)) }
        return work
    }

    var peakBytes: Int {
        let entries = x1.count.multipliedClamped(by: x2?.count ?? x1.count).multipliedClamped(by: asked.pairShape.clampedProduct)
        let nngp = kinds.contains(.nngp) ? entries.multipliedClamped(by: MemoryLayout<F>.stride) : 0
        // The sum of the shares stands beside them.
        let total = asked.question.isLayerwise ? entries.multipliedClamped(by: MemoryLayout<F>.stride) : 0
        return cost.bytes.addingClamped(nngp).addingClamped(total).addingClamped(x1.bytes).addingClamped(x2?.bytes ?? 0)
    }

    var tableBytes: Int { compiled.bytes }
    var answersOneArray: Bool { kinds.count == 1 && !asked.question.isLayerwise }

    /// What stands in a row of the kernel.
    var rowShape: [Int] { [x2?.count ?? x1.count] + asked.pairShape }

    func answer(on tiles: any TileExecutor) throws -> Answer {
        var results = Results()
        for kind in kinds {
            switch kind {
            case .nngp: results.nngp = try nngp(on: tiles)
            case .ntk:
                let kernel = try compiled.checked(points: x1.field) {
                    try compiled.program.tangentKernel(x1.inputs, x2?.inputs, asked.question, ModelPasses.context(tiles))
                }
                let shares = kernel.shares.map { (name: $0.parameter ?? "", kernel: matrix($0.numbers)) }
                for share in shares where !share.kernel.hasNumbersOnly { throw compiled.overflow }
                results.ntk = asked.question.isLayerwise ? sum(shares.map(\.kernel)) : shares[0].kernel
                results.shares = asked.question.isLayerwise ? shares : []
                results.byGrams = kernel.byGrams
            }
        }
        return body(results)
    }

    /// What was asked for.
    struct Results {
        var nngp: Matrix<F>?
        var ntk: Matrix<F>?
        /// Of each parameter, where asked for.
        var shares: [(name: String, kernel: Matrix<F>)] = []
        var byGrams: [String] = []
    }

    func body(_ results: Results) -> Answer {
        var body = Answer()
        for kind in kinds {
            switch kind {
            case .nngp: if let nngp = results.nngp { body.append("nngp", nngp, rowShape: rowShape) }
            case .ntk:
                if let ntk = results.ntk { body.append("ntk", ntk, rowShape: rowShape) }
                guard asked.question.isLayerwise else { continue }
                body.append("layerwise", .arrays(results.shares.map { ($0.name, F.array([$0.kernel], shape: [$0.kernel.rows] + rowShape)) }))
            }
        }
        body.append(shape: [x1.count] + rowShape, precision)
        guard kinds.contains(.ntk) else { return body }
        let grams = Set(results.byGrams)
        body.append("algorithms") { json in
            json.beginObject()
            for name in asked.question.parameters ?? [] { json.member(name, grams.contains(name) ? "structured" : "gradients") }
            json.endObject()
        }
        return body
    }

    private func matrix(_ numbers: Storage<F>) -> Matrix<F> {
        Matrix(rows: x1.count, columns: x1.count == 0 ? 0 : numbers.count / x1.count, storage: numbers)
    }

    func sum(_ shares: [Matrix<F>]) -> Matrix<F> {
        let total = Matrix<F>(zeroRows: x1.count, columns: (x2?.count ?? x1.count) * asked.pairShape.reduce(1, *))
        for share in shares {
            defer { withExtendedLifetime((total, share)) {} }
            let (target, source) = unsafe (total.base, share.base)
            for index in 0..<total.rows * total.columns { unsafe target[index] += source[index] }
        }
        return total
    }

    /// Products of outputs, as the tangent kernel has its entries.
    func nngp(on tiles: any TileExecutor) throws -> Matrix<F> {
        let program = compiled.program
        let k = program.outputCount
        let (left, right) = try compiled.checked(points: x1.field) {
            let left = try program.outputs(x1.inputs, ModelPasses.context(tiles))
            return (left, try x2.map { try program.outputs($0.inputs, ModelPasses.context(tiles)) } ?? left)
        }
        let (n1, n2) = (x1.count, x2?.count ?? x1.count)
        let chosen = asked.question.chosenOutputs ?? Array(0..<k)
        let each = asked.pairShape.reduce(1, *)
        let result = Matrix<F>(zeroRows: n1, columns: n2 * each)
        for i in 0..<n1 {
            if CurrentWork.isCancelled { throw CancellationError() }
            for j in 0..<n2 {
                let target = unsafe result.base + (i * n2 + j) * each
                for (a, p) in chosen.enumerated() {
                    let value = left[i * k + p]
                    let product = value * right[j * k + p]
                    switch asked.question.outputs {
                    case .full: for (b, q) in chosen.enumerated() { unsafe target[a * chosen.count + b] = value * right[j * k + q] }
                    case .diagonal: unsafe target[a] = product
                    case .sum: unsafe target[0] += product
                    case .mean: unsafe target[0] += product / F(k)
                    }
                }
            }
        }
        guard result.hasNumbersOnly else { throw compiled.overflow }
        return result
    }
}

extension ModelKernel {
    /// Reads the rest of a request whose network is a file's.
    static func read(
        _ reader: inout ObjectReader, _ file: ModelFile, _ precision: KernelRequest.Precision
    ) throws(ProblemDetails) -> ModelKernel {
        let output = try reader.outputName()
        let network = try file.network(output: output)
        let x1 = try reader.modelPoints("x1", network)
        let x2 = try reader.optionalModelPoints("x2", network)
        if let x2, x2.shapes != x1.shapes {
            throw .invalid("/x2", "points of the shapes of those of x1 expected, \(x1.shapes.description); \(x2.shapes.description) came")
        }
        let compiled = try file.program(F.self, output: output, outputPointer: "/output", shapes: x1.shapes, points: "x1")
        let task = try ModelKernel(&reader, compiled, x1, x2, precision)
        try reader.finish(orNull: ["pattern1", "pattern2"])
        return task
    }
}

extension ObjectReader {
    /// Which output of a network from a file is meant.
    mutating func outputName() throws(ProblemDetails) -> String? {
        guard let value = optional("output") else { return nil }
        guard case .string(let name) = value else { throw .invalid(pointer(to: "output"), "the name of an output expected; \(value.kindName) came") }
        return name
    }
}
