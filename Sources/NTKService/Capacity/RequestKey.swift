internal import HTTP1
internal import HTTPTypes

/// What makes two requests equal: path and query, the body with its type, and the forms of an answer that the client takes.
struct RequestKey: Hashable, Sendable {
    /// Larger bodies are not compared.
    private static let mostBytes = 16 << 20
    /// Bytes at either end of a body that are hashed; all are compared.
    private static let hashedBytes = 512

    private let path: String
    private let contentType: String
    private let accept: String
    private let body: [UInt8]

    /// nil for a body that is too large to be compared.
    init?(_ request: ServerRequest) {
        guard request.body.count <= Self.mostBytes else { return nil }
        path = request.head.path ?? "/"
        contentType = request.head.headerFields[.contentType] ?? ""
        accept = request.head.headerFields[.accept] ?? ""
        body = request.body
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(path)
        hasher.combine(body.count)
        hasher.combine(body.prefix(Self.hashedBytes))
        hasher.combine(body.suffix(Self.hashedBytes))
    }
}
