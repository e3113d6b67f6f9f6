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
            let regressor = try await regressor(id, regressors, for: request.bodyLease)
            return try await compute(
                request, { value throws(ProblemDetails) in try RegressorPredictionRequest(value, regressor) }, regressors.predict)
        case (.regressor, .delete):
            if Self.hasCondition(request.head) {
                _ = try ServerResponse.revalidated(await readStored { try regressors.get(id) }, for: request.head)
            }
            try await executor.run { _ in try regressors.delete(id) }
            return ServerResponse(status: .noContent)
        default:
            // A disk is read: not on the event loop.
            let text = try await readStored { route == .regressor ? try regressors.get(id) : try regressors.list(target) }
            return try .revalidated(text, for: request.head)
        }
    }

    /// Whether something is to be done only if what is there is what the client knows: then it has to be read before.
    static func hasCondition(_ head: HTTPRequest) -> Bool {
        [HTTPField.Name.ifMatch, .ifNoneMatch, .ifUnmodifiedSince].contains { head.headerFields.contains($0) }
    }

    /// A regressor; where it has to be read, it is read once for all who ask for it, and there is memory for that before.
    /// - Parameter body: the memory of the body of the request that asks.
    func regressor(_ id: String, _ regressors: RegressorEndpoints, for body: MemoryBudget.Lease?) async throws -> Regressor {
        if let cached = regressors.cached(id) { return cached }
        let memory = capacity.memory
        return try await refusing {
            try await regressors.readings.value(id, memory, holding: body) { followers in
                // Read since.
                if let cached = regressors.cached(id) { return cached }
                let bytes = try await executor.run { _ in try regressors.readingBytes(id) }
                guard bytes <= memory.largest else {
                    throw ProblemDetails.tooLargeToRead(StoredObject(name: "the regressor \(id)", bytes: bytes), beside: 0, largest: memory.largest)
                }
                let lease = try await memory.reserve(bytes, for: body, isAll: false, followers: followers)
                defer { withExtendedLifetime(lease) {} }
                return try await executor.run { _ in try regressors.find(id) }
            }
        }
    }
}
