internal import FiniteNetworks
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/gradient-features` of a network from a file, validated.
struct ModelFeatures<F: NetworkScalar & AnswerElement>: ModelTask {
    let compiled: CompiledModel<F>
    let x: ModelPoints
    let parameters: [String]
    let settings: FeatureSettings
    private let parameterCount: Int
    private let cost: (operations: Double, bytes: Int)

    private init(_ reader: inout ObjectReader, _ compiled: CompiledModel<F>, _ x: ModelPoints, _ precision: KernelRequest.Precision)
        throws(ProblemDetails)
    {
        (self.compiled, self.x) = (compiled, x)
        settings = try FeatureSettings(&reader, points: x.count, outputs: compiled.program.outputCount, precision)
        parameters = try ModelQuestion.parameters(&reader, compiled.program)
        do {
            parameterCount = try compiled.program.parameterCount(parameters)
            cost = try compiled.program.gradientCost(x.count, parameters: parameters, blockBytes: ModelPasses.blockBytes)
        } catch { throw compiled.file.problem(error, points: x.field) }
    }

    private var blocks: Int { (cost.bytes + ModelPasses.blockBytes - 1) / ModelPasses.blockBytes }
    private var width: Int { settings.width(parameters: parameterCount) }

    var work: Work {
        ModelPasses.work(cost.operations, steps: compiled.program.stepCount, blocks: max(blocks, 1))
            + settings.work(points: x.count, parameters: parameterCount, blocks: max(blocks, 1))
    }

    var peakBytes: Int {
        let features = x.count.multipliedClamped(by: width).multipliedClamped(by: 2 * MemoryLayout<F>.stride)
        return cost.bytes.addingClamped(features).addingClamped(x.bytes)
    }

    var tableBytes: Int { compiled.bytes }
    var answersOneArray: Bool { true }

    func answer(on tiles: any TileExecutor) throws -> Answer {
        let features = try compiled.checked(points: x.field) {
            try compiled.program.gradientFeatures(
                x.inputs, settings.scalar, parameters: parameters, settings.projection, ModelPasses.context(tiles))
        }
        guard features.hasNumbersOnly else { throw compiled.overflow }
        let chosen = Set(parameters)
        return settings.answer(
            features, compiled.program.parameters.filter { chosen.contains($0.name) }.map { (name: $0.name, shape: $0.shape) })
    }
}

extension ModelFeatures {
    /// Reads the rest of a request whose network is a file's.
    static func read(
        _ reader: inout ObjectReader, _ file: ModelFile, _ precision: KernelRequest.Precision
    ) throws(ProblemDetails) -> ModelFeatures {
        let output = try reader.outputName()
        let x = try reader.modelPoints("x", try file.network(output: output))
        let compiled = try file.program(F.self, output: output, outputPointer: "/output", shapes: x.shapes, points: "x")
        let task = try ModelFeatures(&reader, compiled, x, precision)
        try reader.finish(orNull: ["pattern"])
        return task
    }
}
