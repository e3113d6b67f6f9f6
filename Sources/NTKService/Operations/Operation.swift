internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes

/// One record an operation: its method and path, its query, the bodies that it reads, the forms of its answer, its audience, and how it is
/// answered. Routing, the checks before a body is read, jobs and the list of what there is are made from these records.
final class Operation: Sendable {
    /// The clients that may ask.
    enum Audience: Sendable {
        /// Those with a key, where there are keys; requests count towards a client's limit.
        case clients
        /// Everyone: it says nothing but how the server is and what it offers.
        case everyone
        /// Clients, or everyone where the operator opens the metrics.
        case monitoring
    }

    /// The bodies that an operation reads.
    struct Bodies: Sendable {
        /// Media types.
        var types: [String]
        /// Whether a body of no type is read as the first of them.
        var isTypeOptional = false
        /// Whether it is never large.
        var isSmall = false
    }

    enum Action: Sendable {
        /// From what is known or stored.
        case answer(@Sendable (NTKService, RoutedRequest) async throws -> ServerResponse)
        /// By a computation, at once or as a job. What the path names is found before the body is read; it may take memory beside the body's.
        case compute(@Sendable (NTKService, PathSegments, MemoryBudget.Lease?) async throws -> any Computing)
    }

    let method: HTTPRequest.Method
    /// A segment in braces stands for any one segment.
    let path: String
    let query: [QueryParameter]
    /// Nil where a body means nothing.
    let bodies: Bodies?
    /// The media types of a good answer, the one first that is given where the client does not mind.
    let answerTypes: [String]
    let audience: Audience
    /// Whether orchestrators and monitoring ask it every few seconds.
    let isProbe: Bool
    let action: Action

    init(
        _ method: HTTPRequest.Method, _ path: String, query: [QueryParameter] = [], bodies: Bodies? = nil,
        answerTypes: [String] = ["application/json"], audience: Audience = .clients, isProbe: Bool = false, _ action: Action
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.bodies = bodies
        self.answerTypes = answerTypes
        self.audience = audience
        self.isProbe = isProbe
        self.action = action
    }

    /// Whether the form of the answer can be chosen in the query.
    var hasForms: Bool { query.contains { $0.name == QueryParameter.format.name } }

    /// A GET, which is a HEAD, too.
    static func get(
        _ path: String, query: [QueryParameter] = [], answerTypes: [String] = ["application/json"], audience: Audience = .clients,
        isProbe: Bool = false, _ answer: @escaping @Sendable (NTKService, RoutedRequest) async throws -> ServerResponse
    ) -> Operation {
        Operation(.get, path, query: query, answerTypes: answerTypes, audience: audience, isProbe: isProbe, .answer(answer))
    }

    /// A POST that computes arrays, which can be had in every form.
    static func computing(
        _ path: String, bodyTypes: [String] = RequestBody.arrayTypes,
        _ prepare: @escaping @Sendable (NTKService, PathSegments, MemoryBudget.Lease?) async throws -> any Computing
    ) -> Operation {
        Operation(
            .post, path, query: [.format, .estimateOnly], bodies: Bodies(types: bodyTypes), answerTypes: AnswerFormat.allCases.map(\.mediaType),
            .compute(prepare))
    }
}
