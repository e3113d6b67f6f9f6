package import FoundationEssentials

/// One key that is let in.
package struct APIKey: Sendable, Equatable {
    package var digest: KeyDigest
    /// Stands in logs, and is what the rate limit counts by: keys of one name share it.
    package var name: String
    /// Nil: never.
    package var expiry: Date?

    package init(digest: KeyDigest, name: String, expiry: Date? = nil) {
        self.digest = digest
        self.name = name
        self.expiry = expiry
    }

    /// 1 to 64 letters, digits and `._@-`: it stands in logs and between spaces.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2E, 0x5F, 0x40, 0x2D: true
                default: false
                }
            }
    }

    /// A date, which is its first moment in UTC, or a date and time with an offset (RFC 3339).
    package static func date(_ text: String) -> Date? {
        // The parser takes 31 February for 3 March.
        let day = String(text.prefix(10))
        guard let midnight = try? Date(day + "T00:00:00Z", strategy: .iso8601), midnight.formatted(.iso8601).hasPrefix(day) else { return nil }
        return text.utf8.count == 10 ? midnight : try? Date(text, strategy: .iso8601)
    }

    /// As it stands in a file.
    package var line: String {
        "\(digest) \(name)" + (expiry.map { " " + $0.formatted(.iso8601) } ?? "")
    }
}
