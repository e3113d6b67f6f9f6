internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Computes empirical kernels and words the answer of `POST /v1/empirical-kernels`.
enum EmpiricalKernelEndpoint {
    static func answer(_ request: EmpiricalKernelRequest, tiles: any TileExecutor) throws -> Answer {
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
        _ request: EmpiricalKernelRequest, _: Element.Type, _ tiles: any TileExecutor
    ) throws -> Answer {
        let kernel = try request.kernel(on: tiles)
        let rowShape = [request.x2?.rows ?? request.x1.rows] + request.outputs.shape(outputs: request.network.outputs)
        var body = Answer()
        for kind in request.kinds {
            switch kind {
            case .nngp:
                let matrix: Matrix<Element> = try kernel.nngp(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, as: Element.self, on: tiles)
                body.append("nngp", matrix, rowShape: rowShape)
            case .ntk:
                let result = try kernel.ntk(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, isLayerwise: request.isLayerwise,
                    as: Element.self, on: tiles)
                body.append("ntk", result.kernel, rowShape: rowShape)
                guard request.isLayerwise else { continue }
                let shares = result.shares.map { ($0.name, Element.array([$0.kernel], shape: [$0.kernel.rows] + rowShape)) }
                body.append("layerwise", .arrays(shares))
            }
        }
        body.append(shape: [request.x1.rows] + rowShape, request.precision)
        if request.kinds.contains(.ntk) {
            body.append("algorithms") { json in
                json.beginObject()
                for (parameter, algorithm) in request.cost.algorithms { json.member(parameter, algorithm.rawValue) }
                json.endObject()
            }
        }
        return body
    }
}
