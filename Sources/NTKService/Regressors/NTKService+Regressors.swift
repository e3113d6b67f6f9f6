internal import ArtifactStore
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

extension Operation {
    static let ofRegressors = [
        get("/v1/regressors", query: [.limit, .after]) { service, request in
            let regressors = try service.storedRegressors()
            let page = try ListPage(request.target) { ArtifactID($0) }
            // A disk is read: not on the event loop.
            return try .revalidated(await service.readStored { try regressors.list(page) }, for: request.head)
        },
        Operation(
            .post, "/v1/regressors", query: [.estimateOnly], bodies: Bodies(types: RequestBody.arrayTypes),
            .compute { service, _, _ in
                let regressors = try service.storedRegressors()
                let (networks, memoryBytes) = (service.networks, service.limits.memoryBytes)
                return Computation(
                    { value throws(ProblemDetails) in try RegressorRequest(value, networks, memoryBytes: memoryBytes) }, run: regressors.create)
            }),
        get("/v1/regressors/{id}") { service, request in
            let (regressors, id) = (try service.storedRegressors(), request.path["id"] ?? "")
            return try .revalidated(await service.readStored { try regressors.get(id) }, for: request.head)
        },
        Operation(
            .delete, "/v1/regressors/{id}",
            .answer { service, request in
                let (regressors, id) = (try service.storedRegressors(), request.path["id"] ?? "")
                if NTKService.hasCondition(request.head) {
                    _ = try ServerResponse.revalidated(await service.readStored { try regressors.get(id) }, for: request.head)
                }
                try await service.executor.run { _ in try regressors.delete(id) }
                return ServerResponse(status: .noContent)
            }),
        computing("/v1/regressors/{id}/predictions", bodyTypes: RequestBody.arrayTypes + [RequestBody.npy]) { service, path, lease in
            let regressors = try service.storedRegressors()
            let regressor = try await service.regressor(path["id"] ?? "", regressors, for: lease)
            let isFactored = regressors.isFactored(regressor)
            return Computation(
                { value throws(ProblemDetails) in try RegressorPredictionRequest(value, regressor, isFactored: isFactored) },
                run: regressors.predict)
        },
    ]
}

extension NTKService {
    /// - Throws: 503 where nothing can be stored.
    func storedRegressors() throws(ProblemDetails) -> RegressorEndpoints {
        guard let regressors else { throw .unavailable("this server has no data directory") }
        return regressors
    }

    /// Whether something is to be done only if what is there is what the client knows: then it has to be read before.
    static func hasCondition(_ head: HTTPRequest) -> Bool {
        [HTTPField.Name.ifMatch, .ifNoneMatch, .ifUnmodifiedSince].contains { head.headerFields.contains($0) }
    }

    /// A regressor; if it has to be read, it is read once for all requests for it, after memory for that is reserved.
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
