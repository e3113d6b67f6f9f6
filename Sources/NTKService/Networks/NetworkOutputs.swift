internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// `POST /v1/network-outputs`, validated.
struct NetworkOutputsRequest: ComputeTask {
    var source: NetworkSource
    var network: FiniteNetwork
    var x: Matrix<Double>
    var pattern: Matrix<Double>?
    var precision: KernelRequest.Precision

    init(_ value: JSONValue, _ store: NetworkStore) throws(ProblemDetails) {
        var reader = try ObjectReader(value, at: "")
        source = try reader.network("network", store)
        let points = try reader.networkPoints("x", source.format)
        network = try source.network(shape: points.shape, points: "x")
        x = points.values
        pattern = try reader.pattern("pattern", network, points: x.rows)
        precision = try reader.choice("precision", default: .float64)
        try reader.finish()
    }

    var answersOneArray: Bool { true }

    var work: Work { source.work(network) + network.outputsWork(points: x.rows, isFloat32: precision == .float32) }

    var peakBytes: Int {
        let values = min(x.rows.multipliedClamped(by: network.valuesPerPoint), max(256 << 20, 64 * network.valuesPerPoint))
        return x.rows.multipliedClamped(by: network.outputs.addingClamped(x.columns)).addingClamped(values).addingClamped(
            network.parameterCount.multipliedClamped(by: 2)
        )
        .multipliedClamped(by: 8)
    }
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
