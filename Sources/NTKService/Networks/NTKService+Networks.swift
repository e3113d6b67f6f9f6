internal import ArtifactStore
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

extension Operation {
    static let ofNetworks = [
        get("/v1/networks", query: [.limit, .after]) { service, request in try await service.listNetworks(request) },
        Operation(
            .post, "/v1/networks", query: [.name], bodies: Bodies(types: RequestBody.mediaTypes + [RequestBody.onnx]),
            .answer { service, request in try await service.storeNetwork(request) }),
        get("/v1/networks/{id}") { service, request in try await service.storedNetwork(request) },
        Operation(.delete, "/v1/networks/{id}", .answer { service, request in try await service.deleteNetwork(request) }),
    ]
}

extension NTKService {
    fileprivate func storeNetwork(_ request: RoutedRequest) async throws -> ServerResponse {
        let (store, memory, content) = (networks, limits.memoryBytes, request.content)
        let name = try QueryParameter.name(of: request.target)
        let body = LargeBody(content, limit: memory) { guess, tiles in
            let value = try RequestBody.value(content, limit: memory, guess, field: "parameters", on: tiles)
            if let file = try ModelFile(whole: value) {
                let (id, isNew, members) = try store.put(file, members: file.description(name: name))
                return (text: Self.description(.file(members: members), id), id: id, isNew: isNew)
            }
            guard name == nil else { throw ProblemDetails.badParameter("name", "a model file that it is the name of", name ?? "") }
            let network = try NetworkSource(value, at: "")
            if let shape = network.inputShape ?? NetworkSummary(network).impliedShape { _ = try network.network(shape: shape) }
            let (id, isNew) = try store.put(network)
            return (text: Self.description(.architecture(NetworkSummary(network)), id), id: id, isNew: isNew)
        }
        let (text, id, isNew) = try await read(body, for: request.bodyLease).value
        return ServerResponse(
            status: isNew ? .created : .ok,
            headerFields: [.contentType: "application/json", .location: "/v1/networks/\(NetworkStore.prefix)\(id)"], body: .bytes(Array(text.utf8)))
    }

    fileprivate func listNetworks(_ request: RoutedRequest) async throws -> ServerResponse {
        let asked = try ListPage(request.target, cursor: NetworkStore.id)
        let store = networks
        let (ids, hasMore) = try await executor.run { _ in try store.list(after: asked.after, limit: asked.limit) }
        var entries: [String] = []
        for id in ids {
            do {
                // One that was deleted meanwhile is left out.
                if let entry = try await description(id) { entries.append(entry) }
            } catch let problem as ProblemDetails where problem.status != .serviceUnavailable || problem.isOfStorage {
                // The others are told of all the same.
                entries.append(UnreadableEntry.json(id: "\(NetworkStore.prefix)\(id)", problem))
            }
        }
        let next = hasMore ? ids.last.map { "\"\(NetworkStore.prefix)\($0)\"" } ?? "null" : "null"
        return try .revalidated("{\"networks\":[\(entries.joined(separator: ","))],\"next\":\(next)}", for: request.head)
    }

    fileprivate func storedNetwork(_ request: RoutedRequest) async throws -> ServerResponse {
        let segment = request.path["id"]
        guard let text = try await description(Self.networkID(segment)) else { throw Self.noNetwork(segment) }
        return try .revalidated(text, for: request.head)
    }

    /// What a client is told of a stored network; nil if there is none. A long text is read when there is memory for what it becomes.
    private func description(_ id: ArtifactID) async throws -> String? {
        let store = networks
        return try await readStored { try store.summary(id).map { Self.description($0, id) } }
    }

    fileprivate func deleteNetwork(_ request: RoutedRequest) async throws -> ServerResponse {
        let segment = request.path["id"]
        let (store, id) = (networks, try Self.networkID(segment))
        if Self.hasCondition(request.head), let text = try await description(id) { _ = try ServerResponse.revalidated(text, for: request.head) }
        guard try await executor.run({ _ in try store.delete(id) }) else { throw Self.noNetwork(segment) }
        return ServerResponse(status: .noContent)
    }

    private static func networkID(_ segment: String?) throws(ProblemDetails) -> ArtifactID {
        guard let id = segment.flatMap(NetworkStore.id) else { throw noNetwork(segment) }
        return id
    }

    private static func noNetwork(_ segment: String?) -> ProblemDetails {
        ProblemDetails(
            status: .notFound, type: .notFound, title: "There is nothing here",
            detail: "the id of a stored network expected, as POST /v1/networks gave it; \(segment?.prefix(80) ?? "none") came")
    }

    /// What a client is told of a stored network: all but the numbers.
    private static func description(_ summary: NetworkStore.Summary, _ id: ArtifactID) -> String {
        switch summary {
        case .architecture(let network): description(network, id)
        case .file(let members): "{\"id\":\"\(NetworkStore.prefix)\(id)\",\(members)}"
        }
    }

    private static func description(_ network: NetworkSummary, _ id: ArtifactID) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", "\(NetworkStore.prefix)\(id)")
        json.key("architecture")
        json.raw(Array(network.architecture.utf8))
        json.member("data_format", network.format.rawValue)
        json.key("input_shape")
        if let shape = network.inputShape ?? network.impliedShape {
            Self.write(network.format.ordered(shape), &json)
        } else {
            json.null()
        }
        if let seed = network.seed {
            json.key("initialization")
            json.beginObject()
            json.member("seed", Int(clamping: seed))
            json.endObject()
        } else {
            json.key("parameters")
            json.beginObject()
            for (name, shape) in network.shapes.sorted(by: { ExactText($0.key) < ExactText($1.key) }) {
                json.key(name)
                Self.write(shape, &json)
            }
            json.endObject()
            json.member("parameter_count", network.givenCount)
        }
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func write(_ shape: [Int], _ json: inout JSONWriter) {
        json.beginArray()
        for extent in shape { json.value(extent) }
        json.endArray()
    }
}
