internal import ArtifactStore
internal import Batching
internal import CEmbedded
package import ComputeExecutor
package import HTTP1
package import HTTPTypes
package import Jobs
internal import LinearAlgebra
package import Metrics
internal import TensorFormats

/// The product behind its HTTP interface, as API.md and openapi.yaml describe it; it knows no socket.
package struct NTKService: HTTPResponder {
    /// The version of the interface and the program: what the file VERSION says.
    package static let version = unsafe String(String(cString: ntk_version()).prefix { !$0.isNewline })

    /// Limits of one request.
    package struct Limits: Sendable {
        /// Bytes of a request body; more is 413.
        package var bodyBytes = 1 << 30
        /// Bytes that the matrices of one request may take; more is 422, before anything is allocated.
        package var memoryBytes = 8 << 30
        /// Seconds that one request may compute, by its estimate; more is 422.
        package var seconds = 3600.0

        package init() {}
    }

    /// Bodies above this size are parsed on a worker, not on the event loop.
    static let smallBody = 64 * 1024

    let executor: ComputeExecutor
    let networks: NetworkStore
    let limits: Limits
    let capacity: Capacity
    /// nil where every request is computed by itself.
    let batches: Batches?
    let metrics: ServerMetrics
    let meter: WorkMeter
    let regressors: RegressorEndpoints?
    let jobs: JobBoard?
    /// Seconds that one job may compute, by its estimate.
    let jobSeconds: Double
    /// The job that is worked on by this service; nil where it answers clients.
    var run: JobRun?
    private let kernels = KernelCache()
    let idempotency = IdempotencyTable()
    let pieceLengths = PieceLengths()
    private let unreadiness: @Sendable () async -> String?

    /// - Parameters:
    ///   - networks: where networks are stored.
    ///   - regressors: nil if nothing can be stored.
    ///   - jobs: nil if long work is not taken over.
    ///   - metrics: where everything below counts, and what `/metrics` shows.
    ///   - capacity: what bounds all requests together.
    ///   - unreadiness: asked by `/readyz`, for what only the program knows: why the server should not be given requests, or nil.
    package init(
        executor: ComputeExecutor, limits: Limits = Limits(), networks: NetworkStore = NetworkStore(), regressors: RegressorLibrary? = nil,
        jobs: JobBoard? = nil, jobSeconds: Double = 604_800, metrics: ServerMetrics = ServerMetrics(), capacity: Capacity = Capacity(),
        unreadiness: @escaping @Sendable () async -> String? = { nil }
    ) {
        self.regressors = regressors.map { RegressorEndpoints(library: $0) }
        self.jobs = jobs
        self.jobSeconds = jobSeconds
        self.executor = executor
        self.networks = networks
        self.capacity = capacity
        var limits = limits
        // More could never be had.
        limits.memoryBytes = min(limits.memoryBytes, capacity.memory.largest)
        self.limits = limits
        self.metrics = metrics
        meter = WorkMeter(width: executor.width)
        batches = Batches(capacity.batching, executor, meter, metrics.batches, self.regressors)
        self.unreadiness = unreadiness
    }

    // MARK: HTTPResponder

    package func admit(_ head: HTTPRequest, from remoteAddress: String) -> Admission {
        do throws(ProblemDetails) {
            if head.path == "*" { return .answer(Self.options(allow: "GET, HEAD, POST, OPTIONS")) }
            let route = try route(head).route
            try SingleFields.check(head)
            if head.method == .options { return .answer(Self.options(allow: route.allow)) }
            let isFormatGiven = route.hasForms && Target(head.path ?? "/")?.parameter("format") != nil
            if let accept = head.headerFields.value(.accept), !isFormatGiven, !route.mediaTypes.contains(where: { MediaRange.allows(accept, $0) }) {
                throw ProblemDetails.notAcceptable(route.mediaTypes, head)
            }
            guard head.method == .post else { return .accept(maximumBodyBytes: Self.smallBody) }
            // The protocol's clients often name no type.
            if route.takesInference, InferRequest.takes(head.headerFields[.contentType]) {
                return .accept(maximumBodyBytes: route == .kserveIndex ? Self.smallBody : limits.bodyBytes)
            }
            let type = head.headerFields.value(.contentType).map(MediaRange.type)
            let types = route.bodyTypes
            guard let type, types.contains(type) else {
                throw ProblemDetails(
                    status: .unsupportedMediaType, type: "unsupported-media-type", title: "The body is of a type that cannot be read",
                    detail: "Content-Type: \(types.joined(separator: ", ")) expected "
                        + "(curl: -H 'Content-Type: application/json', or -F for parts); \(type ?? "none") came",
                    headerFields: [.accept: types.joined(separator: ", ")])
            }
            return .accept(maximumBodyBytes: limits.bodyBytes)
        } catch {
            return .answer(error.response(requestID: Self.requestID(head), to: head))
        }
    }

    package func respond(to request: ServerRequest) async -> ServerResponse {
        let id = Self.requestID(request.head)
        var response: ServerResponse
        do {
            if request.head.headerFields.contains(IdempotencyKey.field) {
                response = try await once(request) {
                    do { return try await answer(request) } catch { return Self.response(to: error, id, request.head) }
                }
            } else {
                response = try await answer(request)
            }
        } catch {
            response = Self.response(to: error, id, request.head)
        }
        response.headerFields[.requestID] = id
        if !response.headerFields.contains(.cacheControl) {
            // What has a tag may be kept, and is asked about each time; nothing else is the same for long.
            response.headerFields[.cacheControl] = response.headerFields.contains(.eTag) ? "no-cache" : "no-store"
        }
        return response
    }

    private static func response(to error: any Error, _ id: String, _ head: HTTPRequest) -> ServerResponse {
        (error as? JobProblem)?.response ?? problem(error).response(requestID: id, to: head)
    }

    static func problem(_ error: any Error) -> ProblemDetails {
        switch error {
        case let problem as ProblemDetails: problem
        case let error as JSONError: ProblemDetails(error)
        case let error as NoConvergence: ProblemDetails(error)
        case let error as FormatError: ProblemDetails(error)
        case let error as ArtifactStoreError: ProblemDetails(error)
        // The client has gone: nobody reads this.
        case is CancellationError: .unavailable("the request was cancelled")
        default: .unexpected(error)
        }
    }

    package func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        ProblemDetails(rejection).response(requestID: Self.newRequestID(), to: head)
    }

    // MARK: Routing

    private func route(_ head: HTTPRequest) throws(ProblemDetails) -> (route: Route, target: Target) {
        guard let target = Target(head.path ?? "/") else {
            throw ProblemDetails(
                status: .badRequest, type: "http", title: "Bad Request",
                detail: "the target's percent-encoding must be two hexadecimal digits of UTF-8")
        }
        guard let route = Route.find(target.path) else {
            throw ProblemDetails(
                status: .notFound, type: "not-found", title: "There is nothing here",
                detail: "one of \(Route.allCases.map(\.rawValue).joined(separator: ", ")) expected")
        }
        guard route.methods.contains(head.method) else {
            throw ProblemDetails(
                status: .methodNotAllowed, type: "method-not-allowed", title: "The resource has no such method",
                detail: "\(route.allow) expected; \(head.method.rawValue) came", headerFields: [.allow: route.allow])
        }
        for (index, parameter) in target.query.enumerated() where target.query[..<index].contains(where: { $0.name == parameter.name }) {
            throw ProblemDetails(
                status: .badRequest, type: "repeated", title: "What may come once came twice",
                detail: "each query parameter once expected; \(parameter.name.prefix(80)) came twice")
        }
        for (name, value) in target.query {
            if let values = route.parameters[name], values?.contains(value) != false { continue }
            let known = route.parameters.map { name, values in values.map { "\(name)=\($0.joined(separator: "|"))" } ?? name }.sorted()
            throw ProblemDetails(
                status: .badRequest, type: "unknown-parameter", title: "The query has a parameter that means nothing here",
                detail: "\(name)=\(value) came; \(known.isEmpty ? "no parameters" : known.joined(separator: ", ")) expected")
        }
        return (route, target)
    }

    func answer(_ request: ServerRequest) async throws -> ServerResponse {
        let (route, target) = try route(request.head)
        let segments = route.segments(of: target.path)
        let networks = networks
        switch route {
        case .livez: return Self.json(#"{"status":"ok"}"#)
        case .readyz, .healthz:
            try await checkReadiness()
            return Self.json(#"{"status":"ok"}"#)
        case .kserveServer, .kserveServerSlash, .kserveLive, .kserveReady, .kserveModel, .kserveModelReady, .kserveInfer, .kserveVersion,
            .kserveVersionReady, .kserveVersionInfer, .kserveIndex, .kserveStatistics, .kserveModelStatistics, .kserveVersionStatistics:
            return try await answerKServe(request, route, segments)
        case .version: return Self.json(#"{"name":"ntk-server","version":"\#(Self.version)"}"#)
        case .metrics:
            capacity.memory.usage.report(to: metrics.memory)
            // A disk is read: not on the event loop.
            if jobs != nil { try await executor.run { _ in countJobs() } }
            return ServerResponse(
                headerFields: [.contentType: MetricText.mediaType, .cacheControl: "no-store"], body: .bytes(metrics.registry.text().bytes))
        case .openapi, .openapiJSON, .page, .docs, .pageFile: return try document(request.head, route, file: segments["file"])
        case .kernels:
            let kernels = kernels
            return try await compute(request, { value throws(ProblemDetails) in try KernelRequest(value, kernels) }, KernelEndpoint.answer)
        case .predictions:
            let memoryBytes = limits.memoryBytes
            return try await compute(
                request, { value throws(ProblemDetails) in try PredictionRequest(value, networks, memoryBytes: memoryBytes) },
                PredictionEndpoint.answer)
        case .networks:
            return try await request.head.method == .post ? storeNetwork(request) : listNetworks(request, target)
        case .network:
            return try await request.head.method == .delete ? deleteNetwork(request, segments["id"]) : storedNetwork(request, segments["id"])
        case .empiricalKernels:
            return try await compute(
                request, { value throws(ProblemDetails) in try EmpiricalKernelRequest(value, networks) }, EmpiricalKernelEndpoint.answer)
        case .networkOutputs:
            return try await compute(
                request, { value throws(ProblemDetails) in try NetworkOutputsRequest(value, networks) }, NetworkOutputsEndpoint.answer)
        case .convergence:
            return try await compute(request, ConvergenceRequest.init, ConvergenceEndpoint.answer)
        case .dynamics:
            return try await compute(
                request, { value throws(ProblemDetails) in try DynamicsRequest(value, networks) }, DynamicsEndpoint.answer)
        case .spectra:
            return try await compute(
                request, { value throws(ProblemDetails) in try SpectrumRequest(value, networks) }, SpectrumEndpoint.answer)
        case .trainings:
            return try await compute(request, { value throws(ProblemDetails) in try TrainingRequest(value, networks) }, TrainingEndpoint.answer)
        case .jobs, .job, .jobEvents, .jobResult:
            guard let jobs else { throw ProblemDetails.unavailable("this server has no data directory") }
            return try await answer(request, jobs, route, id: segments["id"] ?? "", target)
        case .regressors, .regressor, .regressorPredictions:
            guard let regressors else { throw ProblemDetails.unavailable("this server has no data directory") }
            return try await answer(request, regressors, route, id: segments["id"] ?? "", target)
        }
    }

    /// Whether the server should be given requests.
    func checkReadiness() async throws(ProblemDetails) {
        if let reason = await unreadiness() { throw ProblemDetails.unavailable(reason) }
        if capacity.memory.usage.isOver { throw ProblemDetails.unavailable("requests wait for memory") }
    }

    // MARK: Pieces of answers

    private static func json(_ text: String) -> ServerResponse {
        ServerResponse(headerFields: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(Array(text.utf8)))
    }

    private static func options(allow: String) -> ServerResponse {
        ServerResponse(status: .noContent, headerFields: [.allow: allow])
    }

    /// The client's `X-Request-Id` if it is one that can go into logs as it is, else a new one.
    package static func requestID(_ head: HTTPRequest) -> String {
        guard let id = head.headerFields.value(.requestID), (1...128).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return newRequestID() }
        return id
    }

    private static func newRequestID() -> String { requestIDs.next() }

    private static let requestIDs = RequestIDs()
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id") ?? .via
    static let serverTiming = HTTPField.Name("Server-Timing") ?? .via
}
