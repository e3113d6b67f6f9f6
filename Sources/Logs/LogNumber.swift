/// A number that is text already: it goes into a line of the log as it stands.
package struct LogNumber: Sendable, CustomStringConvertible {
    package let description: String

    /// Nil for what is no decimal of the form 12 or 12.34.
    package init?(_ text: Substring) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        // JSON has no leading zeros.
        guard parts[0].count == 1 || parts[0].first != 0x30 else { return nil }
        description = String(text)
    }
}
