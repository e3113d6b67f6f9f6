/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, behind a chunk's size (RFC 9112 §7.1.1). They mean nothing here, but what is
/// none could be a size or a line to another reader.
enum ChunkExtension {
    private static let quote = UInt8(ascii: "\"")

    /// Whether the octets are extensions, one or several.
    static func isValid(_ octets: Span<UInt8>) -> Bool {
        var place = 0
        while place < octets.count {
            skipWhitespace(octets, &place)
            guard place < octets.count, octets[place] == Octet.semicolon else { return false }
            place += 1
            skipWhitespace(octets, &place)
            guard skipToken(octets, &place) else { return false }
            let end = place
            skipWhitespace(octets, &place)
            guard place < octets.count, octets[place] == UInt8(ascii: "=") else {
                // The whitespace belongs to the next extension; at the end there is none.
                if place == octets.count && end < place { return false }
                continue
            }
            place += 1
            skipWhitespace(octets, &place)
            guard skipToken(octets, &place) || skipQuoted(octets, &place) else { return false }
        }
        return true
    }

    private static func skipWhitespace(_ octets: Span<UInt8>, _ place: inout Int) {
        while place < octets.count, isWhitespace(octets[place]) { place += 1 }
    }

    /// False if there is none.
    private static func skipToken(_ octets: Span<UInt8>, _ place: inout Int) -> Bool {
        let (start, token) = (place, OctetSet.token)
        while place < octets.count, token.contains(octets[place]) { place += 1 }
        return place > start
    }

    /// A `quoted-string` (RFC 9110 §5.6.4) without octets above 127. False if there is none, or no end of it.
    private static func skipQuoted(_ octets: Span<UInt8>, _ place: inout Int) -> Bool {
        guard place < octets.count, octets[place] == quote else { return false }
        place += 1
        while place < octets.count {
            let octet = octets[place]
            place += 1
            if octet == quote { return true }
            if octet == UInt8(ascii: "\\") {
                guard place < octets.count, isText(octets[place]) else { return false }
                place += 1
            } else {
                guard isText(octet) else { return false }
            }
        }
        return false
    }

    private static func isText(_ octet: UInt8) -> Bool { octet == Octet.tab || octet >= Octet.space && octet < Octet.delete }
}
