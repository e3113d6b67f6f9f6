internal import ArtifactStore

/// A strong validator of content that does not change while the program runs (RFC 9110 §8.8.3).
struct EntityTag: Sendable, Equatable {
    /// With its quotes.
    let value: String

    /// Of the content's SHA-256, half of it: enough to tell versions of a file apart.
    init(of content: [UInt8]) {
        var hash = ContentHash()
        unsafe hash.update(content.span.bytes)
        value = "\"\(hash.finish().description.prefix(32))\""
    }

    /// Whether an `If-None-Match` lists this tag, by the weak comparison that it asks for (RFC 9110 §13.1.2): a `W/`, and what a proxy
    /// appends for a coding (`-gzip`), do not count.
    func isListed(in ifNoneMatch: String) -> Bool {
        ifNoneMatch.split(separator: ",").contains { entry in
            var entry = entry.trimming
            if entry == "*" { return true }
            if entry.hasPrefix("W/") { entry = entry.dropFirst(2) }
            return entry == value || entry == value.dropLast() + "-gzip\""
        }
    }
}
