import HTTPTypes

/// Decodes the chunked transfer coding (RFC 9112 §7.1), strictly: CRLF only, hexadecimal digits only, bounded extensions.
struct ChunkedDecoder {
    private enum State: Equatable {
        case sizeLine
        case data(left: Int)
        /// The CRLF after a chunk's data; whether the CR has come.
        case dataEnd(sawCR: Bool)
        case trailers
        case finished
    }

    private let limits: HTTPLimits
    private var state = State.sizeLine
    private var line: [UInt8] = []
    private var chunks = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var trailerCount = 0

    init(limits: HTTPLimits) { self.limits = limits }

    var isFinished: Bool { state == .finished }

    /// Consumes from the front of `input` what belongs to the body and appends its data to `body`.
    mutating func decode(_ input: inout ArraySlice<UInt8>, into body: inout [UInt8], maximumBytes: Int) throws(HTTPRejection) {
        while let octet = input.first, state != .finished {
            switch state {
            case .data(let left):
                let part = input.prefix(left)
                body.append(contentsOf: part)
                input = input.dropFirst(part.count)
                state = part.count == left ? .dataEnd(sawCR: false) : .data(left: left - part.count)
            case .dataEnd(let sawCR):
                guard octet == (sawCR ? Octet.lf : Octet.cr) else { throw .bad("a chunk's data must end with CRLF", "RFC 9112 §7.1") }
                input.removeFirst()
                state = sawCR ? .sizeLine : .dataEnd(sawCR: true)
            case .sizeLine:
                guard let line = try nextLine(&input, maximum: 16 + limits.chunkExtensionBytes - extensionBytes) else { return }
                try beginChunk(line, bodyCount: body.count, maximumBytes: maximumBytes)
            case .trailers:
                guard let line = try nextLine(&input, maximum: limits.fieldBytes - trailerBytes) else { return }
                try readTrailer(line)
            case .finished:
                return
            }
        }
    }

    /// The next line without its CRLF, or nil until it has come whole.
    private mutating func nextLine(_ input: inout ArraySlice<UInt8>, maximum: Int) throws(HTTPRejection) -> [UInt8]? {
        while let octet = input.popFirst() {
            if line.last == Octet.cr {
                guard octet == Octet.lf else { throw .bad("a CR must be followed by LF", "RFC 9112 §2.2") }
                defer { line = [] }
                return line.dropLast()
            }
            guard octet != Octet.lf else { throw .bad("a line must end with CRLF, not with a bare LF", "RFC 9112 §7.1") }
            line.append(octet)
            guard line.count <= maximum + 1 else {
                throw state == .trailers
                    ? HTTPRejection(status: .requestHeaderFieldsTooLarge, detail: "the trailers are too large", rule: "RFC 6585 §5")
                    : .bad("a chunk's size line is too long", "RFC 9112 §7.1.1")
            }
        }
        return nil
    }

    private mutating func beginChunk(_ line: [UInt8], bodyCount: Int, maximumBytes: Int) throws(HTTPRejection) {
        let digits = line.prefix { Self.hexadecimal($0) != nil }
        guard !digits.isEmpty, digits.count <= 15 else { throw .bad("a chunk size must be 1 to 15 hexadecimal digits", "RFC 9112 §7.1") }
        let size = digits.reduce(0) { $0 << 4 | (Self.hexadecimal($1) ?? 0) }
        let extensions = line.dropFirst(digits.count)
        guard extensions.isEmpty || extensions.trimmed.first == Octet.semicolon, extensions.allSatisfy(Octet.isFieldContent) else {
            throw .bad("after a chunk size only an extension that begins with ; may come", "RFC 9112 §7.1.1")
        }
        extensionBytes += extensions.count
        chunks += 1
        guard extensionBytes <= limits.chunkExtensionBytes else { throw .bad("chunk extensions are too long", "RFC 9112 §7.1.1") }
        guard chunks <= limits.chunkCount, size <= maximumBytes - bodyCount else {
            throw HTTPRejection.tooLarge(maximumBytes)
        }
        state = size == 0 ? .trailers : .data(left: size)
    }

    private mutating func readTrailer(_ line: [UInt8]) throws(HTTPRejection) {
        guard !line.isEmpty else {
            state = .finished
            return
        }
        trailerBytes += line.count + 2
        trailerCount += 1
        guard trailerCount <= limits.fieldCount else {
            throw HTTPRejection(status: .requestHeaderFieldsTooLarge, detail: "there are too many trailers", rule: "RFC 6585 §5")
        }
        let (name, _) = try RequestHeadParser.split(line[...])
        for forbidden: StaticString in ["content-length", "transfer-encoding", "host", "connection", "expect"]
        where name.equalsIgnoringCase(forbidden) {
            throw .bad("a trailer must not frame or route the message", "RFC 9110 §6.5.1")
        }
    }

    private static func hexadecimal(_ octet: UInt8) -> Int? {
        switch octet {
        case 0x30...0x39: Int(octet) - 0x30
        case 0x41...0x46: Int(octet) - 0x41 + 10
        case 0x61...0x66: Int(octet) - 0x61 + 10
        default: nil
        }
    }
}

extension HTTPRejection {
    static func tooLarge(_ maximumBytes: Int) -> HTTPRejection {
        HTTPRejection(status: .contentTooLarge, detail: "the body must be at most \(maximumBytes) bytes", rule: "RFC 9110 §15.5.14")
    }
}
