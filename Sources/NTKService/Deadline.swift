internal import HTTPTypes

/// The time that a client is ready to wait: `Request-Timeout: seconds`.
enum Deadline {
    static let field = HTTPField.Name("Request-Timeout") ?? .via
    private static let longest = 86_400.0

    /// nil without the field.
    static func seconds(_ head: HTTPRequest) throws(ProblemDetails) -> Double? {
        guard let text = head.headerFields[field] else { return nil }
        guard let seconds = DecimalText.number(text), seconds > 0, seconds <= longest else {
            throw ProblemDetails(
                status: .badRequest, type: .http, title: "Bad Request",
                detail: "Request-Timeout: a number of seconds above 0 and at most \(Int(longest)) expected; \(text.prefix(40)) came")
        }
        return seconds
    }

    /// The result of `work`, or a 504 when the time is over; the work is cancelled then, and ends before its next tile.
    static func run<Result: Sendable>(
        within seconds: Double, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw ProblemDetails(
                    status: .gatewayTimeout, type: .deadline, title: "The time that the request gave is over",
                    detail: "an answer within \(seconds) s was asked for; ask with estimate_only=true how long it takes")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
