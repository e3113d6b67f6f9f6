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
    let kernels = KernelCache()
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

    package func admit(_ request: inout ServerRequest) -> Admission {
        let routing = Routing.of(request)
        request.context = routing
        do throws(ProblemDetails) {
            if request.head.path == "*" { return .answer(Self.options(allow: "GET, HEAD, POST, OPTIONS")) }
            if let fault = routing.fault { throw fault }
            try SingleFields.check(request.head)
            guard let operation = routing.operation else { return .answer(Self.options(allow: routing.resource?.allow ?? "")) }
            return .accept(maximumBodyBytes: try operation.admit(request.head, routing.target, limits))
        } catch {
            return .answer(error.response(requestID: Self.requestID(request.head), to: request.head))
        }
    }

    package func respond(to request: ServerRequest) async -> ServerResponse {
        let id = Self.requestID(request.head)
        var response: ServerResponse
        do {
            if request.head.headerFields.contains(IdempotencyKey.field) {
                response = try await once(request) {
                    do { return try await answer(RoutedRequest(request)) } catch { return Self.response(to: error, id, request.head) }
                }
            } else {
                response = try await answer(RoutedRequest(request))
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
        // The client has gone, so that this answer is not read.
        case is CancellationError: .unavailable("the request was cancelled")
        default: .unexpected(error)
        }
    }

    package func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        ProblemDetails(rejection).response(requestID: Self.newRequestID(), to: head)
    }

    private func answer(_ request: RoutedRequest) async throws -> ServerResponse {
        switch request.operation.action {
        case .answer(let answer): try await answer(self, request)
        case .compute(let prepare): try await compute(request, prepare(self, request.path, request.bodyLease))
        }
    }

    /// Whether the server should be given requests.
    func checkReadiness() async throws(ProblemDetails) {
        if let reason = await unreadiness() { throw ProblemDetails.unavailable(reason) }
        if capacity.memory.usage.isOver { throw ProblemDetails.unavailable("requests wait for memory") }
    }

    // MARK: Pieces of answers

    static func json(_ text: String) -> ServerResponse {
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
