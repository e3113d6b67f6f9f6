/// A text that equals another only where all code points are the same, and is ordered by them.
///
/// `String ==` is canonical equivalence: "é" as one code point and as "e" with a combining accent are equal to it. Texts of clients are names,
/// labels and words of a protocol, which mean what they say octet by octet.
package struct ExactText: Hashable, Comparable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (one: ExactText, other: ExactText) -> Bool { one.text.isSame(as: other.text) }

    /// The order of UTF-8 is that of code points.
    package static func < (one: ExactText, other: ExactText) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension StringProtocol {
    /// Whether the other text has the same code points.
    package func isSame(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
