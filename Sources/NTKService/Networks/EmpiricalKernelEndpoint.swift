internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Computes empirical kernels and words the answer of `POST /v1/empirical-kernels`.
enum EmpiricalKernelEndpoint {
    static func answer(_ request: EmpiricalKernelRequest, tiles: any TileExecutor) throws -> JSONBody {
        do {
            switch request.precision {
            case .float64: return try compute(request, Double.self, tiles)
            case .float32: return try compute(request, Float.self, tiles)
            }
        } catch let error as NetworkError {
            throw ProblemDetails(error, at: request.source.place)
        }
    }

    private static func compute<Element: Scalar & JSONFloat>(
        _ request: EmpiricalKernelRequest, _: Element.Type, _ tiles: any TileExecutor
    ) throws -> JSONBody {
        let kernel = try request.kernel(on: tiles)
        let rowShape = [request.x2?.rows ?? request.x1.rows] + request.outputs.shape(outputs: request.network.outputs)
        var body = JSONBody()
        body.append("{")
        for (index, kind) in request.kinds.enumerated() {
            switch kind {
            case .nngp:
                let matrix: Matrix<Element> = try kernel.nngp(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, as: Element.self, on: tiles)
                body.append("nngp", matrix, rowShape: rowShape, isFirst: index == 0)
            case .ntk:
                let result = try kernel.ntk(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, isLayerwise: request.isLayerwise,
                    as: Element.self, on: tiles)
                body.append("ntk", result.kernel, rowShape: rowShape, isFirst: index == 0)
                guard request.isLayerwise else { continue }
                body.append(",\"layerwise\":{")
                for (index, share) in result.shares.enumerated() {
                    body.append(share.name, share.kernel, rowShape: rowShape, isFirst: index == 0)
                }
                body.append("}")
            }
        }
        let shape = ([request.x1.rows] + rowShape).map(String.init).joined(separator: ",")
        body.append(",\"shape\":[\(shape)],\"precision\":\"\(request.precision.rawValue)\"")
        if request.kinds.contains(.ntk) {
            let algorithms = request.cost.algorithms.map { "\"\($0.parameter)\":\"\($0.algorithm.rawValue)\"" }.joined(separator: ",")
            body.append(",\"algorithms\":{\(algorithms)}")
        }
        body.append("}")
        return body
    }
}
