import HTTPTypes

/// The chunked transfer coding (RFC 9112 §7.1). Extensions and trailers are read, bounded and dropped.
struct ChunkedBody: Sendable {
    private enum State: Sendable {
        case sizeLine
        case data(remaining: Int)
        /// The CRLF behind a chunk's data.
        case dataEnd(sawReturn: Bool)
        case trailers
        case finished
    }

    /// More digits could not overflow 60 bits unseen.
    private static let maximumSizeDigits = 15

    private var state = State.sizeLine
    private var chunks = 0
    private var extensionOctets = 0
    private var trailers = FieldSection()

    /// Whether data is what comes next, or may be.
    var awaitsData: Bool {
        switch state {
        case .data: true
        case .sizeLine: chunks == 0
        case .dataEnd, .trailers, .finished: false
        }
    }

    /// Takes input into `body`. True when the coding has ended.
    mutating func parse(
        _ input: Span<UInt8>, at offset: inout Int, lines: inout LineReader, body: inout BodyBuffer, limits: HTTPLimits
    ) throws(HTTPRejection) -> Bool {
        while true {
            switch state {
            case .sizeLine:
                let limit = Self.maximumSizeDigits + limits.chunkExtensionOctets - extensionOctets
                switch lines.next(input, at: &offset, limit: limit) {
                case .unfinished: return false
                case .inInput(let range): try sizeLine(input.extracting(range), body: body, limits: limits)
                case .held: try sizeLine(lines.take().span, body: body, limits: limits)
                case .bareLineFeed: throw .badRequest("A chunk's size line must end in CRLF.", "RFC 9112 §7.1")
                case .tooLong: throw .badRequest("A chunk's size line is too long.", "RFC 9112 §7.1.1")
                }
            case .data(let remaining):
                let taken = min(remaining, input.count - offset, body.room)
                guard taken > 0 else { return false }
                body.append(input.extracting(offset..<(offset + taken)), expected: remaining)
                offset += taken
                state = taken == remaining ? .dataEnd(sawReturn: false) : .data(remaining: remaining - taken)
            case .dataEnd(let sawReturn):
                guard offset < input.count else { return false }
                guard input[offset] == (sawReturn ? Octet.lineFeed : Octet.carriageReturn) else {
                    throw .badRequest("A chunk's data must be as long as its size says, and be followed by CRLF.", "RFC 9112 §7.1")
                }
                offset += 1
                state = sawReturn ? .sizeLine : .dataEnd(sawReturn: true)
            case .trailers:
                guard try trailers.parse(input, at: &offset, lines: &lines, limits: limits) else { return false }
                try Self.checkTrailers(trailers.fields)
                state = .finished
            case .finished:
                return true
            }
        }
    }

    /// `chunk-size [ chunk-ext ]`. No prefix, no sign, and nothing but an extension behind the digits.
    private mutating func sizeLine(_ line: Span<UInt8>, body: BodyBuffer, limits: HTTPLimits) throws(HTTPRejection) {
        var size = 0
        var digits = 0
        while digits < line.count, let digit = hexadecimalValue(line[digits]) {
            guard digits < Self.maximumSizeDigits else {
                throw .badRequest("A chunk's size must have 15 hexadecimal digits at most.", "RFC 9112 §7.1")
            }
            size = size << 4 | digit
            digits += 1
        }
        guard digits > 0 else {
            throw .badRequest("A chunk's size must be hexadecimal digits.", "RFC 9112 §7.1")
        }
        try chunkExtension(line.extracting(digits..<line.count), limits: limits)
        guard size > 0 else {
            state = .trailers
            return
        }
        chunks += 1
        guard chunks <= limits.chunkCount else {
            throw .badRequest("The body has more than \(limits.chunkCount) chunks.", "RFC 9112 §7.1")
        }
        guard body.fits(size) else {
            throw .contentTooLarge("The body is longer than \(body.maximum) bytes.", "RFC 9110 §15.5.14")
        }
        state = .data(remaining: size)
    }

    /// RFC 9112 §7.1.1: whitespace may stand before the semicolon; what follows it means nothing here, but must be well-formed.
    private mutating func chunkExtension(_ octets: Span<UInt8>, limits: HTTPLimits) throws(HTTPRejection) {
        guard !octets.isEmpty else { return }
        extensionOctets += octets.count
        guard extensionOctets <= limits.chunkExtensionOctets else {
            throw .badRequest("Chunk extensions are longer than \(limits.chunkExtensionOctets) octets.", "RFC 9112 §7.1.1")
        }
        var start = 0
        while start < octets.count, isWhitespace(octets[start]) { start += 1 }
        guard start < octets.count, octets[start] == Octet.semicolon else {
            throw .badRequest("A chunk's size must be followed by CRLF or by an extension.", "RFC 9112 §7.1")
        }
        guard ChunkExtension.isValid(octets) else {
            throw .badRequest("A chunk extension must be a name, or a name and a value.", "RFC 9112 §7.1.1")
        }
    }

    /// RFC 9110 §6.5.1: fields that frame or route a message, or change how its content is read, must not come after it. `Content-Type` is
    /// ignored as other trailers are: some clients send it there, and it changes nothing that has not been decided by then.
    private static func checkTrailers(_ fields: HTTPFields) throws(HTTPRejection) {
        for field in fields {
            switch field.name.canonicalName {
            case "content-length", "transfer-encoding", "host", "connection", "expect", "te", "trailer", "upgrade", "content-encoding",
                "content-range", "authorization":
                throw .badRequest("The field \(field.name.canonicalName) must not be a trailer.", "RFC 9110 §6.5.1")
            default:
                continue
            }
        }
    }
}
