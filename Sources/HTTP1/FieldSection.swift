import HTTPTypes

/// A header or trailer section: field lines up to an empty line, bounded in number and size.
struct FieldSection: Sendable {
    private(set) var fields = HTTPFields()
    private var octets = 0

    /// Takes whole lines. True when the empty line has come.
    mutating func parse(
        _ input: Span<UInt8>, at offset: inout Int, lines: inout LineReader, limits: HTTPLimits
    ) throws(HTTPRejection) -> Bool {
        while true {
            let isEnd: Bool
            switch lines.next(input, at: &offset, limit: limits.fieldOctets - octets) {
            case .unfinished: return false
            case .inInput(let range): isEnd = try append(input.extracting(range), limits: limits)
            case .held: isEnd = try append(lines.take().span, limits: limits)
            case .bareLineFeed: throw .badRequest("A field line must end in CRLF.", "RFC 9112 §2.2")
            case .tooLong: throw .fieldsTooLarge("The fields are longer than \(limits.fieldOctets) octets.", "RFC 6585 §5")
            }
            if isEnd { return true }
        }
    }

    /// True for the empty line that ends the section.
    private mutating func append(_ line: Span<UInt8>, limits: HTTPLimits) throws(HTTPRejection) -> Bool {
        if line.isEmpty { return true }
        guard fields.count < limits.fieldCount else {
            throw .fieldsTooLarge("There are more than \(limits.fieldCount) fields.", "RFC 6585 §5")
        }
        octets += line.count
        fields.append(try FieldLine.parse(line, isFirst: fields.isEmpty))
        return false
    }
}
