internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let networkOutputs = computing("/v1/network-outputs") { service, _, _ in
        let networks = service.networks
        return Computation(
            { value throws(ProblemDetails) in
                var reader = try ObjectReader(value, at: "")
                switch try reader.network("network", networks) {
                case .architecture(let source): return .architecture(try NetworkOutputsRequest(reader, source))
                case .file(let file): return .file(try file.task(&reader, ModelOutputs<Double>.read, ModelOutputs<Float>.read))
                }
            }, answer: NetworkTask<NetworkOutputsRequest>.answer(NetworkOutputsEndpoint.answer))
    }
}

/// `POST /v1/network-outputs`, validated.
struct NetworkOutputsRequest: ComputeTask {
    var source: NetworkSource
    var network: FiniteNetwork
    var x: Matrix<Double>
    var pattern: Matrix<Double>?
    var precision: KernelRequest.Precision

    init(_ reader: consuming ObjectReader, _ source: NetworkSource) throws(ProblemDetails) {
        self.source = source
        let points = try reader.networkPoints("x", source.format)
        network = try source.network(shape: points.shape, points: "x")
        x = points.values
        pattern = try reader.pattern("pattern", network, points: x.rows)
        precision = try reader.choice("precision", default: .float64)
        try reader.finish(orNull: ["output"])
    }

    var answersOneArray: Bool { true }

    var work: Work { source.work(network) + network.outputsWork(points: x.rows, isFloat32: precision == .float32) }

    /// The points, the values of a block of them, the outputs, and the parameters as they came and as they are used.
    var peakBytes: Int {
        let (rows, size) = (Count(x.rows), Count(precision == .float64 ? 8 : 4))
        let values = Count(network.valuesAtOnce(points: x.rows, elementBytes: size.value)) * size
        let patterns = Count((pattern?.rows ?? 0).multipliedClamped(by: pattern?.columns ?? 0)) * (size + 8)
        return (rows * Count(network.outputs) * size + rows * Count(x.columns) * 8 + values + patterns + Count(network.parameterCount) * (size + 8))
            .value
    }

    var tableBytes: Int { network.tableBytes }

    func workingBytes(threads: Int) -> Int { network.gatheredBytes(threads: threads, elementBytes: precision == .float64 ? 8 : 4) }
}

/// Evaluates a network and words the answer.
enum NetworkOutputsEndpoint {
    static func answer(_ request: NetworkOutputsRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            switch request.precision {
            case .float64: return try compute(request, Double.self, tiles)
            case .float32: return try compute(request, Float.self, tiles)
            }
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: request.source.place)
        }
    }

    private static func compute<Element: AnswerElement>(
        _ request: NetworkOutputsRequest, _: Element.Type, _ tiles: any TileExecutor
    ) throws -> Answer {
        let outputs: Matrix<Element> = try request.network.outputs(
            request.x, parameters: request.source.values(request.network, on: tiles), patterns: request.pattern, as: Element.self, on: tiles)
        var body = Answer()
        body.append("outputs", outputs, rowShape: request.network.outputShape)
        body.append(shape: [request.x.rows] + request.network.outputShape, request.precision)
        return body
    }
}
