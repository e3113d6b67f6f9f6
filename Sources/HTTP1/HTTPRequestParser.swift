/// Turns bytes into requests, however they are cut. It knows no socket and no clock.
///
/// Feed it with `parse`. After `.head` it waits for `readBody` or `discardBody`; after `.body` it is ready for the next request. Once it has thrown,
/// where the next message starts is not known, and it takes no more input.
package struct HTTPRequestParser: Sendable {
    package enum Event: Sendable, Equatable {
        /// The header section has come as a whole (RFC 9110 §5.3: no request is applied before that).
        case head(RequestHead)
        /// The body has come as a whole; empty if it was discarded or there is none.
        case body([UInt8])
    }

    private enum State: Sendable {
        case requestLine
        case fields(RequestLine)
        case undecided(BodyFraming)
        case emptyBody
        case sizedBody(remaining: Int)
        case chunkedBody
        case failed
    }

    package let limits: HTTPLimits
    private let isSecure: Bool
    private var state = State.requestLine
    private var lines = LineReader()
    private var emptyLines = 0
    private var section = FieldSection()
    private var body: BodyBuffer
    private var chunks = ChunkedBody()

    /// - Parameter isSecure: Whether the octets came through TLS, so that their targets are https.
    package init(limits: HTTPLimits = HTTPLimits(), isSecure: Bool = false) {
        self.limits = limits
        self.isSecure = isSecure
        body = BodyBuffer(maximum: 0, keeps: false, limits: limits)
    }

    /// Whether no octet of a next request has come yet.
    package var isBetweenRequests: Bool {
        guard case .requestLine = state else { return false }
        return emptyLines == 0 && !lines.isInsideLine
    }

    /// Takes input from `offset` on, and moves `offset` behind what was taken.
    /// - Returns: What this completed; nil when there is more to come, or a decision on the body is due.
    package mutating func parse(_ input: Span<UInt8>, at offset: inout Int) throws(HTTPRejection) -> Event? {
        do throws(HTTPRejection) {
            return try advance(input, at: &offset)
        } catch {
            state = .failed
            throw error
        }
    }

    /// Asks for the body, up to `maximumBytes`. A Content-Length above it is refused here, before any of the body is read.
    /// - Parameter isRationed: Whether room for the body is given by `giveRoom`, whenever `wantedRoom` says so, and none is there before.
    package mutating func readBody(maximumBytes: Int, isRationed: Bool = false) throws(HTTPRejection) {
        try beginBody(maximumBytes: maximumBytes, keeps: true, room: isRationed ? 0 : .max)
    }

    /// Octets of room without which the body does not go on; nil if it does. As much as its length says, or else as much as it has already.
    package var wantedRoom: Int? {
        guard body.room == 0 else { return nil }
        switch state {
        case .sizedBody(let remaining): return remaining
        case .chunkedBody where chunks.awaitsData && body.count < body.maximum:
            return min(max(body.count, limits.firstRoomOctets), body.maximum - body.count)
        default: return nil
        }
    }

    package mutating func giveRoom(_ octets: Int) {
        body.give(room: octets)
        if case .sizedBody(let remaining) = state { body.reserve(remaining) }
    }

    /// Skips the body up to `maximumBytes`, so that the next request can be read (RFC 9112 §9.3).
    package mutating func discardBody(maximumBytes: Int) throws(HTTPRejection) {
        try beginBody(maximumBytes: maximumBytes, keeps: false, room: .max)
    }

    private mutating func beginBody(maximumBytes: Int, keeps: Bool, room: Int) throws(HTTPRejection) {
        guard case .undecided(let framing) = state else { return }
        body = BodyBuffer(maximum: maximumBytes, keeps: keeps, room: room, limits: limits)
        switch framing {
        case .none:
            state = .emptyBody
        case .length(let length):
            guard body.fits(length) else {
                state = .failed
                throw .contentTooLarge("The body is \(length) bytes long; at most \(maximumBytes) are taken here.", "RFC 9110 §15.5.14")
            }
            if room > 0 { body.reserve(length) }
            state = .sizedBody(remaining: length)
        case .chunked:
            chunks = ChunkedBody()
            state = .chunkedBody
        }
    }

    private mutating func advance(_ input: Span<UInt8>, at offset: inout Int) throws(HTTPRejection) -> Event? {
        while true {
            switch state {
            case .requestLine:
                guard let line = try requestLine(input, at: &offset) else { return nil }
                state = .fields(line)
            case .fields(let line):
                guard try section.parse(input, at: &offset, lines: &lines, limits: limits) else { return nil }
                let head = try RequestHead(line, section.fields)
                section = FieldSection()
                emptyLines = 0
                state = .undecided(head.framing)
                return .head(head)
            case .undecided, .failed:
                return nil
            case .emptyBody:
                state = .requestLine
                return .body([])
            case .sizedBody(let remaining):
                let taken = min(remaining, input.count - offset, body.room)
                guard taken > 0 else { return nil }
                body.append(input.extracting(offset..<(offset + taken)), expected: remaining)
                offset += taken
                state = .sizedBody(remaining: remaining - taken)
                if taken == remaining { return finishBody() }
            case .chunkedBody:
                guard try chunks.parse(input, at: &offset, lines: &lines, body: &body, limits: limits) else { return nil }
                return finishBody()
            }
        }
    }

    private mutating func finishBody() -> Event {
        state = .requestLine
        return .body(body.take())
    }

    private mutating func requestLine(_ input: Span<UInt8>, at offset: inout Int) throws(HTTPRejection) -> RequestLine? {
        while true {
            let line: RequestLine?
            switch lines.next(input, at: &offset, limit: limits.requestLineOctets) {
            case .unfinished: return nil
            case .inInput(let range): line = range.isEmpty ? nil : try RequestLine(input.extracting(range), isSecure: isSecure)
            case .held: line = try parseHeld()
            case .bareLineFeed: throw .badRequest("The request line must end in CRLF.", "RFC 9112 §2.2")
            case .tooLong: throw .uriTooLong("The request line is longer than \(limits.requestLineOctets) octets.", "RFC 9112 §3")
            }
            if let line { return line }
            emptyLines += 1
            guard emptyLines <= limits.leadingEmptyLines else {
                throw .badRequest("More than \(limits.leadingEmptyLines) empty lines before a request line.", "RFC 9112 §2.2")
            }
        }
    }

    /// Nil for an empty line.
    private mutating func parseHeld() throws(HTTPRejection) -> RequestLine? {
        let line = lines.take()
        return line.isEmpty ? nil : try RequestLine(line.span, isSecure: isSecure)
    }
}
