internal import FiniteNetworks
internal import LinearAlgebra
internal import TensorFormats

/// `POST /v1/network-outputs` of a network from a file, validated.
struct ModelOutputs<F: NetworkScalar & AnswerElement>: ModelTask {
    let compiled: CompiledModel<F>
    let x: ModelPoints
    let precision: KernelRequest.Precision

    var work: Work { ModelPasses.outputsWork(compiled.program, points: x.count) }

    var peakBytes: Int {
        let outputs = x.count.multipliedClamped(by: compiled.program.outputCount).multipliedClamped(by: 2 * MemoryLayout<F>.stride)
        return compiled.program.outputsBytes(x.count, blockBytes: ModelPasses.blockBytes).addingClamped(outputs).addingClamped(x.bytes)
    }

    var tableBytes: Int { compiled.bytes }
    var answersOneArray: Bool { true }

    func answer(on tiles: any TileExecutor) throws -> Answer {
        let outputs = try compiled.checked(points: x.field) { try compiled.program.outputs(x.inputs, ModelPasses.context(tiles)) }
        let matrix = Matrix<F>(rows: x.count, columns: compiled.program.outputCount, outputs)
        guard matrix.hasNumbersOnly else { throw compiled.overflow }
        var body = Answer()
        body.append("outputs", matrix, rowShape: compiled.program.outputShape)
        body.append(shape: [x.count] + compiled.program.outputShape, precision)
        return body
    }
}

extension ModelOutputs {
    /// Reads the rest of a request whose network is a file's.
    static func read(
        _ reader: inout ObjectReader, _ file: ModelFile, _ precision: KernelRequest.Precision
    ) throws(ProblemDetails) -> ModelOutputs {
        let output = try reader.outputName()
        let x = try reader.modelPoints("x", try file.network(output: output))
        try reader.finish(orNull: ["pattern"])
        let compiled = try file.program(F.self, output: output, outputPointer: "/output", shapes: x.shapes, points: "x")
        return ModelOutputs(compiled: compiled, x: x, precision: precision)
    }
}
