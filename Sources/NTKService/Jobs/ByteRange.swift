internal import HTTP1

/// A single range of bytes by the `Range` field (RFC 9110 §14.1.2).
enum ByteRange: Equatable {
    /// Nothing that is to be heeded: the whole.
    case whole
    case part(Range<Int>)
    case unsatisfiable

    /// - Parameters:
    ///   - field: the field's value; one that is no valid range of bytes, or several of them, is ignored (§14.2).
    ///   - length: bytes of the whole.
    init(_ field: String?, length: Int) {
        self = .whole
        guard let field, Substring(field.utf8.prefix(6)).asciiLowercased == "bytes=" else { return }
        let sides = Substring(field.utf8.dropFirst(6)).trimming.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            .map { Substring($0).trimming }
        guard sides.count == 2 else { return }
        let (first, last) = (Self.number(sides[0]), Self.number(sides[1]))
        switch (first, last, sides[0].isEmpty, sides[1].isEmpty) {
        case (let first?, let last?, _, _) where first <= last:
            self = first < length ? .part(first..<min(last, length - 1) + 1) : .unsatisfiable
        case (let first?, _, _, true):
            self = first < length ? .part(first..<length) : .unsatisfiable
        case (_, let suffix?, true, _):
            self = suffix > 0 && length > 0 ? .part(max(0, length - suffix)..<length) : .unsatisfiable
        default: break
        }
    }

    /// Digits only; what is beyond any file counts as the largest.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text) ?? Int.max - 1
    }
}
