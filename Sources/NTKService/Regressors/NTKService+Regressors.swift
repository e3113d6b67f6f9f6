internal import ArtifactStore
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

extension NTKService {
    /// What is asked of `/v1/regressors` and below.
    func answer(
        _ request: ServerRequest, _ regressors: RegressorEndpoints, _ route: Route, id: String, _ target: Target
    ) async throws -> ServerResponse {
        switch (route, request.head.method) {
        case (.regressors, .post):
            let memoryBytes = limits.memoryBytes
            return try await compute(
                request, { [networks] value throws(ProblemDetails) in try RegressorRequest(value, networks, memoryBytes: memoryBytes) },
                regressors.create)
        case (.regressorPredictions, _):
            let regressor: Regressor =
                if let cached = regressors.cached(id) { cached } else { try await executor.run { _ in try regressors.find(id) } }
            return try await compute(
                request, { value throws(ProblemDetails) in try RegressorPredictionRequest(value, regressor) }, regressors.predict)
        case (.regressor, .delete):
            try await executor.run { _ in try regressors.delete(id) }
            return ServerResponse(status: .noContent)
        default:
            // A disk is read: not on the event loop.
            let text = try await executor.run { _ in route == .regressor ? try regressors.get(id) : try regressors.list(target) }
            return .revalidated(text, for: request.head)
        }
    }
}
