internal import ArtifactStore
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import Jobs

extension NTKService {
    private static let replayed = HTTPField.Name("Idempotency-Replayed") ?? .via

    /// The job that a key belongs to; nil if there is none, it has to be done again, or the directory does not tell.
    private static func known(_ key: IdempotencyKey, in jobs: JobBoard) throws -> JobView? {
        do {
            return try jobs.known(JobID(key.hash))
        } catch let error as ArtifactStoreError {
            // An operation that needs the directory fails with its own error.
            guard case .system = error else { throw error }
            return nil
        }
    }

    /// The first answer to a request that came with an `Idempotency-Key` and was sent before; else what `next` answers, which is kept.
    func once(_ request: ServerRequest, _ next: () async -> ServerResponse) async throws -> ServerResponse {
        guard request.head.method == .post, let key = try IdempotencyKey(request.head) else { return await next() }
        // A large body is hashed off the event loop.
        let fingerprint =
            request.body.count <= Self.smallBody
            ? IdempotencyKey.fingerprint(request) : try await executor.run { _ in IdempotencyKey.fingerprint(request) }
        switch idempotency.begin(key, fingerprint: fingerprint, accept: request.head.headerFields[.accept] ?? "") {
        case .other: throw ProblemDetails.keyReused
        case .inProgress: throw ProblemDetails.keyInUse
        case .again: return await next()
        case .answer(var answer):
            // A job that is damaged, or has gone, is done again.
            if answer.status == .accepted, let jobs, try await executor.run({ _ in try Self.known(key, in: jobs) == nil }) {
                return await next()
            }
            answer.headerFields[Self.replayed] = "true"
            return answer
        case .new: break
        }
        // A job knows its key after a restart, too.
        if let jobs {
            do {
                let known = try await executor.run { _ in try Self.known(key, in: jobs) }
                if let known {
                    idempotency.end(key, nil)
                    guard known.manifest.fingerprint == fingerprint else { throw ProblemDetails.keyReused }
                    return Self.accepted(known)
                }
            } catch {
                idempotency.end(key, nil)
                throw error
            }
        }
        let answer = await next()
        // A refusal for want of capacity, or an answer that was given up, is not kept: the client sends the request again.
        let isFinal = answer.status.code < 500 && ![408, 409, 429].contains(answer.status.code)
        idempotency.end(key, isFinal && !Task.isCancelled ? answer : nil)
        return answer
    }
}
