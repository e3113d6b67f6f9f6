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
    /// Made once: a table asks for it again and again.
    private let digest: Int

    /// nil for a body that is too large to be compared.
    init?(_ request: ServerRequest) {
        guard request.body.count <= Self.mostBytes else { return nil }
        path = request.head.path ?? "/"
        contentType = request.head.headerFields.value(.contentType) ?? ""
        accept = request.head.headerFields.value(.accept) ?? ""
        body = request.body
        var hasher = Hasher()
        hasher.combine(path)
        hasher.combine(body.count)
        unsafe body.withUnsafeBytes { bytes in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.hashedBytes)))
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.suffix(Self.hashedBytes)))
        }
        digest = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}
