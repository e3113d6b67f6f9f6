extension String {
    /// Octets already known to be ASCII.
    init(octets: Span<UInt8>) {
        self = unsafe octets.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// The first place of `octet` at or after `start`.
    @inline(__always)
    func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
        var index = start
        let end = count
        while index < end {
            if self[index] == octet { return index }
            index &+= 1
        }
        return nil
    }

    /// The range without whitespace (SP, HTAB) at its ends.
    func trimmingWhitespace(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, isWhitespace(self[lower]) { lower += 1 }
        while lower < upper, isWhitespace(self[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// Whether the octets are those of `text`.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { buffer in
            for index in 0..<count where unsafe buffer[index] != self[index] { return false }
            return true
        }
    }

    /// Whether the octets start with `lowercase`, which must be lowercase ASCII, in any case.
    func startsIgnoringCase(with lowercase: StaticString) -> Bool {
        guard count >= lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { buffer in
            for index in 0..<buffer.count where unsafe buffer[index] != asciiLowercased(self[index]) { return false }
            return true
        }
    }
}

/// Lowercases A to Z and nothing else. `String.lowercased` also turns the Kelvin sign into "k", and so other words into ours.
@inline(__always)
func asciiLowercased(_ octet: UInt8) -> UInt8 {
    octet &- 0x41 < 26 ? octet | 0x20 : octet
}

extension StringProtocol {
    /// With A to Z in lower case and nothing else changed: as words of HTTP are compared (RFC 9110 §5.6.2).
    package var asciiLowercased: String { String(decoding: utf8.map { HTTP1.asciiLowercased($0) }, as: UTF8.self) }
}

/// The members of a comma-separated list in lowercase (RFC 9110 §5.6.1), empty ones included, so that the caller can refuse them.
func listMembers(_ value: String) -> [String] {
    value.utf8.split(separator: Octet.comma, omittingEmptySubsequences: false).map { member in
        var octets = member.map(asciiLowercased)[...]
        while let first = octets.first, isWhitespace(first) { octets.removeFirst() }
        while let last = octets.last, isWhitespace(last) { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }
}
