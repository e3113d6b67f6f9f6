internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import Jobs
internal import TensorFormats

extension Operation {
    static let ofJobs = [
        get("/v1/jobs", query: [.limit, .after, .jobStatus]) { service, request in try await service.list(service.jobBoard(), request.target) },
        get("/v1/jobs/{id}") { service, request in
            let (jobs, id) = try service.job(request)
            guard let view = try await service.executor.run({ _ in try jobs.view(id) }) else { throw NTKService.noJob(id.description) }
            return NTKService.shown(view)
        },
        Operation(
            .delete, "/v1/jobs/{id}",
            .answer { service, request in
                let (jobs, id) = try service.job(request)
                // A disk is read and written: not on the event loop.
                let head = request.head
                let cancelled = try await service.executor.run { _ -> JobView? in
                    guard try jobs.view(id) != nil else { throw NTKService.noJob(id.description) }
                    try Preconditions.checkUntagged(head)
                    return try jobs.cancel(id)
                }
                return cancelled.map { NTKService.shown($0) } ?? ServerResponse(status: .noContent)
            }),
        get("/v1/jobs/{id}/events", answerTypes: ["text/event-stream"]) { service, request in
            let (jobs, id) = try service.job(request)
            return try await service.events(jobs, id, request.head)
        },
        get("/v1/jobs/{id}/result", query: [.format], answerTypes: AnswerFormat.allCases.map(\.mediaType)) { service, request in
            let (jobs, id) = try service.job(request)
            return try await service.result(jobs, id, request.head, request.target)
        },
    ]
}

extension NTKService {
    fileprivate func jobBoard() throws(ProblemDetails) -> JobBoard {
        guard let jobs else { throw .unavailable("this server has no data directory") }
        return jobs
    }

    /// The job that a path names.
    fileprivate func job(_ request: RoutedRequest) throws(ProblemDetails) -> (JobBoard, JobID) {
        let (jobs, text) = (try jobBoard(), request.path["id"] ?? "")
        guard let id = JobID(text) else { throw Self.noJob(text) }
        return (jobs, id)
    }

    fileprivate func list(_ jobs: JobBoard, _ target: Target) async throws -> ServerResponse {
        let asked = try ListPage(target, cursor: JobCursor.init)
        let status = target.parameter("status").flatMap(JobStatus.init)
        let page = try await executor.run { _ in try jobs.list(after: asked.after, limit: asked.limit, status: status) }
        var json = JSONWriter()
        json.beginObject()
        json.key("jobs")
        json.beginArray()
        for job in page.jobs { json.raw(JobJSON.object(job)) }
        json.endArray()
        json.key("next")
        if let next = page.next { json.value(next.description) } else { json.null() }
        json.endObject()
        return Self.shown(json.bytes)
    }

    static func noJob(_ id: String) -> ProblemDetails {
        ProblemDetails(
            status: .notFound, type: .notFound, title: "There is nothing here",
            detail: "the id of a job expected, as Prefer: respond-async gives it; \(id.prefix(80)) came")
    }

    fileprivate static func shown(_ view: JobView) -> ServerResponse { shown(JobJSON.object(view)) }

    private static func shown(_ json: [UInt8]) -> ServerResponse {
        ServerResponse(headerFields: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(json))
    }

    /// 202 for a job that was asked for.
    static func accepted(_ view: JobView) -> ServerResponse {
        var answer = shown(view)
        answer.status = .accepted
        answer.headerFields[.location] = "/v1/jobs/\(view.id)"
        answer.headerFields[Preference.applied] = Preference.respondAsync
        return answer
    }

    // MARK: Events

    fileprivate func events(_ jobs: JobBoard, _ id: JobID, _ head: HTTPRequest) async throws -> ServerResponse {
        guard let view = try await executor.run({ _ in try jobs.view(id) }) else { throw Self.noJob(id.description) }
        let last = head.headerFields[JobEventStream.lastEventID].flatMap { JobEventID($0) }
        // 204 stops a client that has seen the end from reconnecting (HTML, server-sent events §9.2.3).
        if view.state.status.isFinal, let last, last >= view.state.eventID { return ServerResponse(status: .noContent) }
        let stream = JobEventStream(jobs, id, after: last, on: executor)
        return ServerResponse(
            headerFields: [.contentType: "text/event-stream", .cacheControl: "no-store", JobEventStream.buffering: "no"],
            body: .stream(length: nil) { try await stream.next() })
    }

    // MARK: Results

    fileprivate func result(_ jobs: JobBoard, _ id: JobID, _ head: HTTPRequest, _ target: Target) async throws -> ServerResponse {
        let (stored, finishedAt) = try await executor.run { _ -> (StoredAnswer, Int?) in
            guard let view = try jobs.view(id) else { throw Self.noJob(id.description) }
            guard view.state.status.isFinal, let outcome = try jobs.outcome(id) else {
                switch view.state.status {
                case .cancelled: throw Self.cancelled
                case .damaged: throw ProblemDetails.damagedRecord("\(id), of which \(view.damage ?? "a part"),")
                default: throw Self.unfinished(view.state)
                }
            }
            switch outcome.state.status {
            case .succeeded: return (try StoredAnswer(outcome, jobs, id), outcome.state.finishedAt)
            case .failed:
                guard let problem = JobProblem(content: outcome.content) else {
                    jobs.noteDamagedOutcome(of: id)
                    throw ProblemDetails.damagedRecord("\(id)/outcome.json")
                }
                throw problem
            default: throw Self.cancelled
            }
        }
        let accepted = AnswerFormat.accepted(head, target)
        guard let format = accepted.first(where: { $0 != .npy || stored.isOneArray }) else {
            throw ProblemDetails.notAcceptable((stored.isOneArray ? AnswerFormat.allCases : [.json, .npz]).map(\.mediaType), head, target)
        }
        var representation = Representation(stored.answer, format, tag: "\(id)-\(format.rawValue)", lastModified: finishedAt.map { $0 / 1_000 })
        representation.fields[.contentLocation] = stored.location
        return try await representation.response(to: head, lengths: pieceLengths, on: executor)
    }

    private static func unfinished(_ state: JobState) -> ProblemDetails {
        let wait = Int(max(1, min(60, (state.etaSeconds ?? 1).rounded(.up))))
        return ProblemDetails(
            status: .conflict, type: .jobNotFinished, title: "The job has not ended",
            detail: "a job that has succeeded expected; this one is \(state.status.rawValue)", headerFields: [.retryAfter: "\(wait)"])
    }

    private static var cancelled: ProblemDetails {
        ProblemDetails(
            status: .conflict, type: .jobCancelled, title: "The job was cancelled",
            detail: "a job that has succeeded expected; this one was cancelled, and has no result")
    }
}

/// The problem of a job that failed, as it was worded then.
struct JobProblem: Error {
    private let content: [UInt8]
    private let status: Int

    /// Nil for what is no problem.
    init?(content: [UInt8]) {
        guard case .object(let object)? = try? JSONValue.parse(content), case .number(let number)? = object["status"], let status = number.integer,
            (400...599).contains(status)
        else { return nil }
        self.content = content
        self.status = status
    }

    var response: ServerResponse {
        ServerResponse(
            status: .init(code: status), headerFields: [.contentType: "application/problem+json", .cacheControl: "no-store"], body: .bytes(content))
    }
}
