internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let empiricalKernels = computing("/v1/empirical-kernels") { service, _, _ in
        let networks = service.networks
        return Computation(
            { value throws(ProblemDetails) in
                var reader = try ObjectReader(value, at: "")
                switch try reader.network("network", networks) {
                case .architecture(let source): return .architecture(try EmpiricalKernelRequest(reader, source))
                case .file(let file): return .file(try file.task(&reader, ModelKernel<Double>.read, ModelKernel<Float>.read))
                }
            }, answer: NetworkTask<EmpiricalKernelRequest>.answer(EmpiricalKernelEndpoint.answer))
    }
}

/// Computes empirical kernels and words the answer of `POST /v1/empirical-kernels`.
enum EmpiricalKernelEndpoint {
    /// What was asked for.
    struct Results<Element: AnswerElement>: Sendable {
        var nngp: Matrix<Element>?
        var ntk: Matrix<Element>?
        /// Of each parameter, where asked for.
        var shares: [(name: String, kernel: Matrix<Element>)] = []
    }

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
        var results = Results<Element>()
        for kind in request.kinds {
            switch kind {
            case .nngp:
                results.nngp = try kernel.nngp(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, as: Element.self, on: tiles)
            case .ntk:
                let result = try kernel.ntk(
                    request.x1, request.x2, patterns: request.patterns, outputs: request.outputs, isLayerwise: request.isLayerwise,
                    as: Element.self, on: tiles)
                (results.ntk, results.shares) = (result.kernel, result.shares)
            }
        }
        return body(request, results)
    }

    static func body<Element: AnswerElement>(_ request: EmpiricalKernelRequest, _ results: Results<Element>) -> Answer {
        let rowShape = request.rowShape
        var body = Answer()
        for kind in request.kinds {
            switch kind {
            case .nngp: if let nngp = results.nngp { body.append("nngp", nngp, rowShape: rowShape) }
            case .ntk:
                if let ntk = results.ntk { body.append("ntk", ntk, rowShape: rowShape) }
                guard request.isLayerwise else { continue }
                body.append("layerwise", .arrays(results.shares.map { ($0.name, Element.array([$0.kernel], shape: [$0.kernel.rows] + rowShape)) }))
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
