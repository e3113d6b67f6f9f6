internal import ArtifactStore
internal import TensorFormats

/// A strong validator of content (RFC 9110 §8.8.3).
struct EntityTag: Sendable, Equatable {
    /// With its quotes.
    let value: String

    /// - Parameter value: without quotes, of visible ASCII.
    init(opaque value: String) { self.value = "\"\(value)\"" }

    /// Of the content's SHA-256, half of it: enough to tell versions of a file apart.
    init(of content: [UInt8]) {
        var hash = ContentHash()
        unsafe hash.update(content.span.bytes)
        self.init(opaque: String(hash.finish().description.prefix(32)))
    }

    /// Whether a list of tags, or `*`, has this one (RFC 9110 §8.8.3.2, §13.1.1, §13.1.2). What is no such list has none. What a proxy
    /// appends for a coding (`-gzip`) does not count.
    /// - Parameter isStrong: whether a tag that is marked as weak is another one.
    func isListed(in field: String, isStrong: Bool) -> Bool {
        guard let entries = Self.entries(field) else { return false }
        return entries.contains { entry in
            if entry.isAny { return true }
            if isStrong && entry.isWeak { return false }
            return entry.tag.elementsEqual(value.utf8) || entry.tag.elementsEqual((value.dropLast() + "-gzip\"").utf8)
        }
    }

    /// Whether a field is this tag alone, strong.
    func isNamed(by field: String) -> Bool { field.isSame(as: value) }

    private struct Entry {
        var isAny = false
        var isWeak = false
        /// With its quotes.
        var tag: ArraySlice<UInt8> = []
    }

    /// Nil for what is no list of entity tags. A comma within quotes belongs to the tag.
    private static func entries(_ field: String) -> [Entry]? {
        var rest = Array(field.utf8)[...]
        var entries: [Entry] = []
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard let first = rest.first else { return entries }
            var entry = Entry()
            if first == UInt8(ascii: "*") {
                entry.isAny = true
                rest.removeFirst()
            } else {
                if rest.starts(with: Array("W/".utf8)) {
                    entry.isWeak = true
                    rest = rest.dropFirst(2)
                }
                guard rest.first == UInt8(ascii: "\""), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else { return nil }
                entry.tag = rest[...end]
                rest = rest[(end + 1)...]
            }
            entries.append(entry)
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
    }
}
