/// The name of an artifact: 64 lowercase hexadecimal digits, the SHA-256 of what it was made from.
package struct ArtifactID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// Nil if `text` is no such name; what passes can stand in a path.
    package init?(_ text: String) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        description = text
    }

    init(digest: [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        description = String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package static func < (left: ArtifactID, right: ArtifactID) -> Bool { left.description < right.description }
}
