internal import CSHA256

/// SHA-256 (FIPS 180-4) of content that comes piece by piece.
///
/// Every piece goes in with its length before it, so that no two lists of pieces are taken for one another.
package struct ContentHash {
    private var context = SHA256_CTX()

    package init() { _ = unsafe SHA256_Init(&context) }

    package mutating func update(_ bytes: RawSpan) {
        let length = [UInt64(bytes.byteCount).littleEndian]
        unsafe feed(length.span.bytes)
        feed(bytes)
    }

    private mutating func feed(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { piece in _ = unsafe SHA256_Update(&context, piece.baseAddress, piece.count) }
    }

    package mutating func update(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe update(bytes.span.bytes)
    }

    /// The hash as an id. Nothing can be added afterwards.
    package consuming func finish() -> ArtifactID {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        _ = unsafe SHA256_Final(&digest, &context)
        return ArtifactID(digest: digest)
    }
}
