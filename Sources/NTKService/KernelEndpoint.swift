internal import ComputeExecutor
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let kernels = computing("/v1/kernels") { service, _, _ in
        let kernels = service.kernels
        return Computation({ value throws(ProblemDetails) in try KernelRequest(value, kernels) }, answer: KernelEndpoint.answer)
    }
}

/// Computes kernels and words the answer of `POST /v1/kernels`.
enum KernelEndpoint {
    static func answer(_ request: KernelRequest, tiles: any TileExecutor) throws -> Answer {
        do {
            switch request.precision {
            case .float64: return try compute(request, Double.self, tiles)
            case .float32: return try compute(request, Float.self, tiles)
            }
        } catch let error as KernelError {
            throw ProblemDetails(error, fields: ("x1", "x2"))
        }
    }

    private static func compute<Element: KernelScalar & AnswerElement>(
        _ request: KernelRequest, _: Element.Type, _ tiles: any TileExecutor
    ) throws -> Answer {
        let kinds = Set(request.kinds)
        var body = Answer()
        let shape: [Int]
        let errorEstimate: Double
        if request.diagonal {
            let diagonals = try request.kernel.diagonals(request.x1, patterns: request.patterns?.x1, kinds: kinds, as: Element.self, on: tiles)
            for kind in request.kinds {
                if let values = diagonals[kind] { body.append(kind.rawValue, values) }
            }
            shape = [request.x1.rows]
            errorEstimate = diagonals.errorEstimate
        } else {
            let matrices = try request.kernel.matrices(
                request.x1, request.x2, patterns: request.patterns, kinds: kinds, as: Element.self, on: tiles)
            for kind in request.kinds {
                if let matrix = matrices[kind] { body.append(kind.rawValue, matrix) }
            }
            shape = [request.x1.rows, request.x2?.rows ?? request.x1.rows]
            errorEstimate = matrices.errorEstimate
        }
        body.append(shape: shape, request.precision)
        body.append(errorEstimate: errorEstimate)
        return body
    }
}

extension Answer {
    /// The members that tell how to read the array.
    mutating func append(shape: [Int], _ precision: KernelRequest.Precision) {
        append("shape") { $0.list(shape) }
        append("precision", text: precision.rawValue)
    }

    /// Of kernels that are not closed forms.
    mutating func append(errorEstimate: Double) {
        if errorEstimate > 0 { append("error_estimate", nullable: errorEstimate) }
    }
}
