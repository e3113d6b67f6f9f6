internal import ArtifactStore
internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

/// The name that a client gives to a POST, so that the same one sent again gets the first answer.
struct IdempotencyKey: Hashable, Sendable {
    static let field = HTTPField.Name("Idempotency-Key") ?? .via
    private static let longest = 255
    private static let pieceBytes = 4_096

    /// A hash of the key and of its client: guessing keys gives no access to the answers of other clients.
    let hash: ArtifactID

    /// Nil without the field.
    init?(_ head: HTTPRequest) throws(ProblemDetails) {
        guard let value = head.headerFields[Self.field] else { return nil }
        var key = value[...].trimming
        if key.utf8.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = key.dropFirst().dropLast() }
        guard (1...Self.longest).contains(key.utf8.count), key.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }) else {
            throw ProblemDetails(
                status: .badRequest, type: .http, title: "Bad Request",
                detail: "Idempotency-Key: a string of 1 to \(Self.longest) ASCII characters expected; \(value.prefix(80)) came")
        }
        var hash = ContentHash()
        hash.update("idempotency key")
        hash.update(head.headerFields[.authorization] ?? "")
        hash.update(String(key))
        self.hash = hash.finish()
    }

    /// A hash by which two requests with one key are compared. Of a large body the checksums of its pieces count, as a cryptographic hash takes
    /// longer than reading it; a client that constructs two bodies with equal checksums harms only itself.
    static func fingerprint(_ request: ServerRequest) -> String {
        var hash = ContentHash()
        hash.update(request.head.method.rawValue)
        hash.update(request.head.path ?? "")
        hash.update(request.head.headerFields[.contentType] ?? "")
        if request.body.count <= NTKService.smallBody {
            unsafe hash.update(request.body.span.bytes)
        } else {
            hash.update("\(request.body.count)")
            let checksums = stride(from: 0, to: request.body.count, by: pieceBytes).map {
                Checksum.crc32(request.body[$0..<min($0 + pieceBytes, request.body.count)])
            }
            unsafe hash.update(checksums.span.bytes)
        }
        return hash.finish().description
    }
}

extension ProblemDetails {
    /// A key that was used for another request.
    static var keyReused: ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .idempotencyKeyReused, title: "The key belongs to another request",
            detail: "the request that this Idempotency-Key came with first expected, byte for byte, or another key")
    }

    static var keyInUse: ProblemDetails {
        ProblemDetails(
            status: .conflict, type: .idempotencyKeyInUse, title: "The first request with this key is still in progress",
            detail: "the same request again after its first answer expected", headerFields: [.retryAfter: "1"])
    }
}
