/// The entity tags of gzip representations: those of the uncoded ones with a suffix, as another representation needs another tag (RFC 9110 §8.8.3.3).
enum EntityTag {
    private static let ending = "-gzip\""

    /// `"abc"` → `"abc-gzip"`.
    static func coded(_ tag: String) -> String { tag.hasSuffix("\"") ? tag.dropLast() + ending : tag }

    /// The condition of a request about gzip representations as one about what they were made of.
    static func uncoded(_ field: String) -> String { field.replacing(ending, with: "\"") }

    /// Whether a condition names the gzip representation of what has this tag.
    static func names(_ field: String, codedFormOf tag: String) -> Bool {
        field.contains(coded(tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag))
    }
}
