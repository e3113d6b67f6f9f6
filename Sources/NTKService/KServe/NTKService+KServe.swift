internal import ArtifactStore
internal import Batching
internal import ComputeExecutor
internal import FoundationEssentials
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import TensorFormats

// Fitted regressors by the Open Inference Protocol v2.
extension Operation {
    static let inference: [Operation] = {
        let model = "/v2/models/{id}"
        let version = model + "/versions/{version}"
        return [
            get("/v2") { _, _ in NTKService.kserve(KServe.server()) },
            get("/v2/") { _, _ in NTKService.kserve(KServe.server()) },
            get("/v2/health/live", audience: .everyone, isProbe: true) { _, _ in NTKService.kserve(Array(#"{"live":true}"#.utf8)) },
            get("/v2/health/ready", audience: .everyone, isProbe: true) { service, _ in
                try await service.checkReadiness()
                return NTKService.kserve(Array(#"{"ready":true}"#.utf8))
            },
            get(model, describe), get(model + "/ready", ready), inferring(model + "/infer"),
            Operation(
                .post, "/v2/repository/index", bodies: inferenceBodies(isSmall: true),
                .answer { service, request in
                    let regressors = try service.storedRegressors()
                    try RepositoryIndex.check(request.body)
                    return NTKService.kserve(try await service.executor.run { _ in RepositoryIndex.json(try regressors.library.ids()) })
                }),
            get("/v2/models/stats") { service, _ in
                let regressors = try service.storedRegressors()
                return NTKService.kserve(try await service.executor.run { _ in regressors.statistics.json(try regressors.library.ids()) })
            },
            get(model + "/stats", statistics), get(version + "/stats", statistics), get(version, describe), get(version + "/ready", ready),
            inferring(version + "/infer"),
        ]
    }()

    /// The protocol's clients often name no type.
    private static func inferenceBodies(isSmall: Bool) -> Bodies {
        Bodies(types: [RequestBody.json, InferResponse.octets], isTypeOptional: true, isSmall: isSmall)
    }

    private static func inferring(_ path: String) -> Operation {
        Operation(
            .post, path, bodies: inferenceBodies(isSmall: false), answerTypes: ["application/json", InferResponse.octets],
            .answer { service, request in
                let (regressor, statistics) = try await service.model(request)
                let start = ContinuousClock.now
                do {
                    return try await service.infer(request, regressor, statistics, since: start)
                } catch {
                    statistics.failed(regressor.id, after: .now - start)
                    throw error
                }
            })
    }

    @Sendable private static func describe(_ service: NTKService, _ request: RoutedRequest) async throws -> ServerResponse {
        NTKService.kserve(KServe.model(try await service.model(request).regressor))
    }

    @Sendable private static func ready(_ service: NTKService, _ request: RoutedRequest) async throws -> ServerResponse {
        let regressor = try await service.model(request).regressor
        return NTKService.kserve(Array("{\"name\":\"\(regressor.id)\",\"ready\":true}".utf8))
    }

    @Sendable private static func statistics(_ service: NTKService, _ request: RoutedRequest) async throws -> ServerResponse {
        let (regressor, statistics) = try await service.model(request)
        return NTKService.kserve(statistics.json([regressor.id]))
    }
}

extension NTKService {
    /// The regressor that a path names as a model, perhaps with its version.
    fileprivate func model(_ request: RoutedRequest) async throws -> (regressor: Regressor, statistics: InferStatistics) {
        let regressors = try storedRegressors()
        if let version = request.path["version"], version != KServe.version {
            throw ProblemDetails(
                status: .notFound, type: .notFound, title: "There is nothing here",
                detail: "version \(KServe.version), the only one, expected; \(version.prefix(40)) came")
        }
        return (try await regressor(request.path["id"] ?? "", regressors, for: request.bodyLease), regressors.statistics)
    }

    fileprivate static func kserve(_ json: [UInt8]) -> ServerResponse {
        ServerResponse(headerFields: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(json))
    }

    private struct Parsed: Sendable {
        var inference: InferRequest
        var wanted: [InferRequest.Output]
        var task: RegressorPredictionRequest
    }

    /// Tensors → prediction → tensors.
    fileprivate func infer(
        _ request: RoutedRequest, _ regressor: Regressor, _ statistics: InferStatistics, since start: ContinuousClock.Instant
    ) async throws -> ServerResponse {
        var timing = ServerTiming()
        let isFactored = try storedRegressors().isFactored(regressor)
        @Sendable func read(_ guess: JSONDemand.Guess, _: (any TileExecutor)?) throws -> Parsed {
            let inference = try InferRequest(request.request, guess)
            let wanted = try Self.outputs(inference, of: regressor)
            let needsVariance = wanted.contains { $0.name == "variance" }
            let task = try RegressorPredictionRequest(
                inference.prediction(needsVariance: needsVariance), regressor, isFactored: isFactored)
            return Parsed(inference: inference, wanted: wanted, task: task)
        }
        let body = LargeBody(
            count: request.body.count, demand: { InferRequest.demand(request.request, $0) }, read: read, peakBytes: { peakBytes($0.task) })
        let (parsed, leases) = try await self.read(body, isSmall: request.body.count <= Self.smallBody, for: request.bodyLease)
        let (inference, wanted, task) = (parsed.inference, parsed.wanted, parsed.task)
        timing.end("parse")
        let isRead = ContinuousClock.now
        let seconds = [try Deadline.seconds(request.head), inference.seconds].compactMap { $0 }.min()
        let result: Prediction
        if let seconds {
            result = try await Deadline.run(within: seconds) { [timing, leases] in
                try await predict(task, within: seconds, timing, leases, for: request.bodyLease)
            }
        } else {
            result = try await predict(task, within: nil, timing, leases, for: request.bodyLease)
        }
        timing = result.timing
        let tensors = Dictionary(uniqueKeysWithValues: result.tensors.map { ($0.name, $0) })
        let answer = InferResponse(
            model: regressor.id.description, id: inference.id,
            outputs: wanted.compactMap { output in tensors[output.name].map { ($0, output.isBinary) } })
        var response = try answer.response()
        timing.end("encode")
        response.headerFields[.serverTiming] = timing.value
        let end = ContinuousClock.now
        statistics.succeeded(
            regressor.id, rows: task.test.test.count, at: Int(Date.now.timeIntervalSince1970 * 1_000),
            InferStatistics.Times(
                total: end - start, queue: result.start - isRead, input: isRead - start, infer: result.end - result.start,
                output: end - result.end))
        return response
    }

    /// The outputs that are asked for, or all but the variance, which costs more.
    private static func outputs(_ inference: InferRequest, of regressor: Regressor) throws(ProblemDetails) -> [InferRequest.Output] {
        let known = KServe.outputs(regressor).map(\.name)
        guard let wanted = inference.outputs else {
            return known.filter { $0 != "variance" }.map { InferRequest.Output(name: $0, isBinary: inference.isBinary) }
        }
        for output in wanted where !known.contains(output.name) {
            throw .badInference("outputs among \(known.joined(separator: ", ")) expected; \(output.name.prefix(40)) came")
        }
        guard Set(wanted.map(\.name)).count == wanted.count else { throw .badInference("each output once expected") }
        return wanted
    }

    /// In a batch with other predictions of the regressor, in `/v1` or here.
    private func predict(
        _ task: RegressorPredictionRequest, within seconds: Double?, _ timing: ServerTiming, _ leases: [MemoryBudget.Lease],
        for body: MemoryBudget.Lease?
    ) async throws -> Prediction {
        try check(estimate(task), seconds: limits.seconds)
        guard let regressors else { throw ProblemDetails.unavailable("this server has no data directory") }
        let leases = leases.isEmpty ? [try await reserve(peakBytes(task), for: body)] : leases
        defer { withExtendedLifetime(leases) {} }
        let computed: Computed
        do {
            computed = try await execute(task, within: seconds, holding: leases) { try regressors.predict($0, tiles: $1) }
        } catch let rejection as BatchRejection {
            throw ProblemDetails(rejection)
        }
        var timing = timing
        timing.end("queue", at: computed.start)
        timing.end("compute", at: computed.start + computed.duration)
        return Prediction(
            tensors: try InferTensor.tensors(computed.answer.body, of: task.regressor), timing: timing, start: computed.start,
            end: computed.start + computed.duration)
    }

    private struct Prediction {
        var tensors: [InferTensor]
        var timing: ServerTiming
        var start, end: ContinuousClock.Instant
    }
}

extension InferTensor {
    /// The arrays of a prediction, and its labels.
    fileprivate static func tensors(_ answer: Answer, of regressor: Regressor) throws -> [InferTensor] {
        var tensors: [InferTensor] = []
        for (name, value) in answer.members {
            switch value {
            case .array(let array):
                let numbers = InferDatatype.float64.decode(try array.bytes(0..<array.count)[...])
                tensors.append(InferTensor(name: name, shape: array.shape, content: .float64(numbers)))
            case .json(let text) where name == "labels":
                guard case .classes(let classes) = regressor.fit.targets else { continue }
                let labels = try ClassTargets.labels(JSONValue.parse(text), at: "/labels")
                let content: InferTensor.Content =
                    classes.areIntegers
                    ? .int64(labels.map { if case .integer(let integer) = $0 { integer } else { 0 } }) : .bytes(labels.map(\.text))
                tensors.append(InferTensor(name: name, shape: [labels.count], content: content))
            case .json, .arrays: continue
            }
        }
        return tensors
    }
}

extension ClassTargets.Label {
    fileprivate var text: String {
        switch self {
        case .integer(let integer): String(integer)
        case .text(let label): label.text
        }
    }
}
