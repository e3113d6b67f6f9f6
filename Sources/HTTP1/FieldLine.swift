import HTTPTypes

/// `field-name ":" OWS field-value OWS` (RFC 9112 §5).
enum FieldLine {
    /// - Parameter isFirst: Whether the line comes right after the request line, where leading whitespace breaks another rule than folding.
    static func parse(_ line: Span<UInt8>, isFirst: Bool) throws(HTTPRejection) -> HTTPField {
        if let first = line.indices.first, isWhitespace(line[first]) {
            throw isFirst
                ? .badRequest("Whitespace before the first field.", "RFC 9112 §2.2")
                : .badRequest("A field value must not be folded over lines.", "RFC 9112 §5.2")
        }
        guard let colon = line.firstIndex(of: Octet.colon) else {
            throw .badRequest("A field line must be a name, a colon and a value.", "RFC 9112 §5")
        }
        if colon > 0, isWhitespace(line[colon - 1]) {
            throw .badRequest("Whitespace between a field's name and its colon.", "RFC 9112 §5.1")
        }
        let nameOctets = line.extracting(0..<colon)
        guard RequestLine.isToken(nameOctets), let name = HTTPField.Name(String(octets: nameOctets)) else {
            throw .badRequest("A field's name must be a token.", "RFC 9110 §5.1")
        }
        let value = line.extracting(line.trimmingWhitespace((colon + 1)..<line.count))
        for index in value.indices {
            let octet = value[index]
            // A bare CR is among the controls: RFC 9112 §2.2 forbids it too.
            if octet < Octet.space && octet != Octet.tab || octet == Octet.delete {
                throw .badRequest("A field's value holds a control character.", "RFC 9110 §5.5")
            }
        }
        return unsafe value.withUnsafeBufferPointer { unsafe HTTPField(name: name, value: $0) }
    }
}
