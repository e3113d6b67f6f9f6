internal import HTTP1
internal import HTTPTypes

/// The `Prefer` field (RFC 7240).
enum Preference {
    static let field = HTTPField.Name("Prefer") ?? .via
    static let applied = HTTPField.Name("Preference-Applied") ?? .via
    static let respondAsync = "respond-async"

    /// Whether the client would rather have a job than wait.
    static func respondsAsync(_ head: HTTPRequest) -> Bool {
        guard let preferences = head.headerFields.value(field) else { return false }
        return preferences.utf8.split(separator: UInt8(ascii: ",")).contains { preference in
            let name = preference.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "=") }
            return Substring(name).trimming.asciiLowercased == respondAsync
        }
    }
}
