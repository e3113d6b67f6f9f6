internal import ArtifactStore
internal import Batching
internal import ComputeExecutor
internal import FoundationEssentials
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import TensorFormats

extension NTKService {
    /// What is asked of `/v2` and below: fitted regressors by the Open Inference Protocol v2.
    func answerKServe(_ request: ServerRequest, _ route: Route, _ segments: [String: String]) async throws -> ServerResponse {
        switch route {
        case .kserveLive: return Self.kserve(Array(#"{"live":true}"#.utf8))
        case .kserveReady:
            try await checkReadiness()
            return Self.kserve(Array(#"{"ready":true}"#.utf8))
        case .kserveServer, .kserveServerSlash: return Self.kserve(KServe.server())
        default: break
        }
        guard let regressors else { throw ProblemDetails.unavailable("this server has no data directory") }
        let id = segments["id"] ?? ""
        if let version = segments["version"], version != KServe.version {
            throw ProblemDetails(
                status: .notFound, type: "not-found", title: "There is nothing here",
                detail: "version \(KServe.version), the only one, expected; \(version.prefix(40)) came")
        }
        switch route {
        case .kserveIndex:
            try RepositoryIndex.check(request.body)
            return Self.kserve(try await executor.run { _ in RepositoryIndex.json(try regressors.library.ids()) })
        case .kserveStatistics:
            return Self.kserve(try await executor.run { _ in regressors.statistics.json(try regressors.library.ids()) })
        default: break
        }
        let regressor = try await regressor(id, regressors, for: request.bodyLease)
        switch route {
        case .kserveModelReady, .kserveVersionReady: return Self.kserve(Array("{\"name\":\"\(regressor.id)\",\"ready\":true}".utf8))
        case .kserveModelStatistics, .kserveVersionStatistics: return Self.kserve(regressors.statistics.json([regressor.id]))
        case .kserveInfer, .kserveVersionInfer:
            let start = ContinuousClock.now
            do {
                return try await infer(request, regressor, regressors.statistics, since: start)
            } catch {
                regressors.statistics.failed(regressor.id, after: .now - start)
                throw error
            }
        default: return Self.kserve(KServe.model(regressor))
        }
    }

    private static func kserve(_ json: [UInt8]) -> ServerResponse {
        ServerResponse(headerFields: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(json))
    }

    private struct Parsed: Sendable {
        var inference: InferRequest
        var wanted: [InferRequest.Output]
        var task: RegressorPredictionRequest
    }

    /// Tensors → prediction → tensors.
    private func infer(
        _ request: ServerRequest, _ regressor: Regressor, _ statistics: InferStatistics, since start: ContinuousClock.Instant
    ) async throws -> ServerResponse {
        var timing = ServerTiming()
        @Sendable func read(_ guess: JSONDemand.Guess, _: (any TileExecutor)?) throws -> Parsed {
            let inference = try InferRequest(request, guess)
            let wanted = try Self.outputs(inference, of: regressor)
            let needsVariance = wanted.contains { $0.name == "variance" }
            let task = try RegressorPredictionRequest(inference.prediction(needsVariance: needsVariance), regressor)
            return Parsed(inference: inference, wanted: wanted, task: task)
        }
        let body = LargeBody(
            count: request.body.count, demand: { InferRequest.demand(request, $0) }, read: read, peakBytes: { peakBytes($0.task) })
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
