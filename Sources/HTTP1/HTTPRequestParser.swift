import HTTPTypes

/// Parses the requests of one connection from octets as they come.
///
/// A value without socket or clock: the same requests, and the same rejection at the end, come out however the octets are cut. The caller
/// alternates: `consume` until a head has come, `acceptBody`, `consume` until the body has come, and so on. After a rejection the rest of
/// the stream has no meaning, and the connection must close.
package struct HTTPRequestParser: Sendable {
    package enum Event: Sendable {
        /// A header section has come whole. Nothing more is parsed until `acceptBody` is called.
        case head(RequestHead)
        /// The body has come whole, and the request with it.
        case body([UInt8])
    }

    private enum State {
        case requestLine(emptyLines: Int)
        case fields(RequestHeadParser, bytes: Int, count: Int)
        case awaitingAcceptance(RequestHead)
        case sized(left: Int)
        case chunked(ChunkedDecoder, maximumBytes: Int)
    }

    private let limits: HTTPLimits
    private var state = State.requestLine(emptyLines: 0)
    /// What has come of a line whose end has not.
    private var partialLine: [UInt8] = []
    private var body: [UInt8] = []

    package init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

    /// Whether nothing of a next request has come.
    package var isIdle: Bool {
        if case .requestLine(emptyLines: 0) = state { partialLine.isEmpty } else { false }
    }

    /// Whether a body is on its way.
    package var isInBody: Bool {
        switch state {
        case .sized, .chunked: true
        default: false
        }
    }

    /// Takes octets from the front of `input` up to the next event; nil when more must come.
    package mutating func consume(_ input: inout ArraySlice<UInt8>) throws(HTTPRejection) -> Event? {
        while true {
            switch state {
            case .requestLine(let emptyLines):
                guard let line = try nextLine(&input, maximum: limits.requestLineBytes, status: .uriTooLong, rule: "RFC 9112 §3") else { return nil }
                if line.isEmpty {
                    guard emptyLines < limits.leadingEmptyLines else { throw .bad("a request line expected, not empty lines", "RFC 9112 §2.2") }
                    state = .requestLine(emptyLines: emptyLines + 1)
                } else {
                    var head = RequestHeadParser(limits: limits)
                    try head.parseRequestLine(line)
                    state = .fields(head, bytes: 0, count: 0)
                }
            case .fields(var head, let bytes, let count):
                guard
                    let line = try nextLine(
                        &input, maximum: limits.fieldBytes - bytes, status: .requestHeaderFieldsTooLarge, rule: "RFC 6585 §5")
                else { return nil }
                guard line.isEmpty else {
                    guard count < limits.fieldCount else {
                        throw HTTPRejection(
                            status: .requestHeaderFieldsTooLarge, detail: "at most \(limits.fieldCount) fields expected", rule: "RFC 6585 §5")
                    }
                    // Taken out of the state while it is changed, so that its fields are not copied for every line.
                    state = .requestLine(emptyLines: 0)
                    try head.parseField(line)
                    state = .fields(head, bytes: bytes + line.count + 2, count: count + 1)
                    continue
                }
                let finished = try head.finish()
                state = .awaitingAcceptance(finished)
                return .head(finished)
            case .awaitingAcceptance:
                return nil
            case .sized(let left):
                let part = input.prefix(left)
                body.append(contentsOf: part)
                input = input.dropFirst(part.count)
                guard part.count == left else {
                    state = .sized(left: left - part.count)
                    return nil
                }
                return finishBody()
            case .chunked(var decoder, let maximumBytes):
                try decoder.decode(&input, into: &body, maximumBytes: maximumBytes)
                state = .chunked(decoder, maximumBytes: maximumBytes)
                return decoder.isFinished ? finishBody() : nil
            }
        }
    }

    /// Begins the body of the head that has come.
    /// - Throws: 413 if it is declared longer than `maximumBytes`.
    package mutating func acceptBody(maximumBytes: Int) throws(HTTPRejection) {
        guard case .awaitingAcceptance(let head) = state else { return }
        body = []
        switch head.framing {
        case .none:
            state = .sized(left: 0)
        case .length(let length):
            guard length <= maximumBytes else { throw .tooLarge(maximumBytes) }
            body.reserveCapacity(min(length, limits.reservedBodyBytes) + limits.bodyPaddingBytes)
            state = .sized(left: length)
        case .chunked:
            state = .chunked(ChunkedDecoder(limits: limits), maximumBytes: maximumBytes)
        }
    }

    private mutating func finishBody() -> Event {
        state = .requestLine(emptyLines: 0)
        defer { body = [] }
        return .body(body)
    }

    /// The next line without its CRLF, or nil until it has come whole.
    private mutating func nextLine(
        _ input: inout ArraySlice<UInt8>, maximum: Int, status: HTTPResponse.Status, rule: String
    ) throws(HTTPRejection) -> ArraySlice<UInt8>? {
        guard let end = input.firstIndex(of: Octet.lf) else {
            partialLine.append(contentsOf: input)
            input = []
            // One more may be the CR.
            guard partialLine.count <= maximum + 1 else { throw tooLong(status, rule) }
            return nil
        }
        var line = input[..<end]
        input = input[(end + 1)...]
        if !partialLine.isEmpty {
            line = (partialLine + line)[...]
            partialLine = []
        }
        guard line.count <= maximum + 1 else { throw tooLong(status, rule) }
        guard line.last == Octet.cr else {
            guard line.count <= maximum else { throw tooLong(status, rule) }
            throw .bad("a line must end with CRLF, not with a bare LF", "RFC 9112 §2.2")
        }
        return line.dropLast()
    }

    private func tooLong(_ status: HTTPResponse.Status, _ rule: String) -> HTTPRejection {
        let detail =
            status == .uriTooLong
            ? "a request line of at most \(limits.requestLineBytes) bytes expected"
            : "a header section of at most \(limits.fieldBytes) bytes expected"
        return HTTPRejection(status: status, detail: detail, rule: rule)
    }
}
