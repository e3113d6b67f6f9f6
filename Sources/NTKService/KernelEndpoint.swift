internal import ComputeExecutor
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Computes kernels and words the answer of `POST /v1/kernels`.
enum KernelEndpoint {
    static func answer(_ request: KernelRequest, tiles: any TileExecutor) throws -> JSONBody {
        do {
            switch request.precision {
            case .float64: return try compute(request, Double.self, tiles)
            case .float32: return try compute(request, Float.self, tiles)
            }
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x1", "x2"))
        }
    }

    private static func compute<Element: KernelScalar & JSONFloat>(
        _ request: KernelRequest, _: Element.Type, _ tiles: any TileExecutor
    ) throws -> JSONBody {
        let kinds = Set(request.kinds)
        var body = JSONBody()
        body.append("{")
        let shape: [Int]
        if request.diagonal {
            let diagonals = try request.kernel.diagonals(request.x1, patterns: request.patterns?.x1, kinds: kinds, as: Element.self, on: tiles)
            for (index, kind) in request.kinds.enumerated() {
                if let values = diagonals[kind] { body.append(kind.rawValue, values, isFirst: index == 0) }
            }
            shape = [request.x1.rows]
        } else {
            let matrices = try request.kernel.matrices(
                request.x1, request.x2, patterns: request.patterns, kinds: kinds, as: Element.self, on: tiles)
            for (index, kind) in request.kinds.enumerated() {
                if let matrix = matrices[kind] { body.append(kind.rawValue, matrix, isFirst: index == 0) }
            }
            shape = [request.x1.rows, request.x2?.rows ?? request.x1.rows]
        }
        body.append(",\"shape\":[\(shape.map(String.init).joined(separator: ","))],\"precision\":\"\(request.precision.rawValue)\"}")
        return body
    }
}
