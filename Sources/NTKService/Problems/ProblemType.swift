/// The kinds of problems that an answer can name, a closed list: `type` of a problem is `/problems/` and one of these. The document enumerates
/// them, and each has a page of its own, written from `reference`.
package enum ProblemType: String, CaseIterable, Sendable {
    case badParameter = "bad-parameter"
    case damagedArtifact = "damaged-artifact"
    case deadline
    case foreignHost = "foreign-host"
    case foreignOrigin = "foreign-origin"
    case http
    case idempotencyKeyInUse = "idempotency-key-in-use"
    case idempotencyKeyReused = "idempotency-key-reused"
    case `internal`
    case invalidInference = "invalid-inference"
    case invalidInput = "invalid-input"
    case jobCancelled = "job-cancelled"
    case jobLost = "job-lost"
    case jobNotFinished = "job-not-finished"
    case keyExpired = "key-expired"
    case malformedBody = "malformed-body"
    case malformedJSON = "malformed-json"
    case methodNotAllowed = "method-not-allowed"
    case notAcceptable = "not-acceptable"
    case notFound = "not-found"
    case overLimit = "over-limit"
    case preconditionFailed = "precondition-failed"
    case rangeNotSatisfiable = "range-not-satisfiable"
    case rateLimited = "rate-limited"
    case repeated
    case singularSystem = "singular-system"
    case storedObjectTooLarge = "stored-object-too-large"
    case unauthorized
    case unavailable
    case unknownParameter = "unknown-parameter"
    case unsupportedMediaType = "unsupported-media-type"

    /// The stable URI reference that a problem's `type` is.
    package var reference: String { "/problems/\(rawValue)" }
}
