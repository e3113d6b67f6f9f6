import HTTPTypes

/// Writes the head of an answer: status line, the server's own fields, the handler's fields, the empty line.
package struct ResponseHeadEncoder: Sendable {
    /// `100 (Continue)`, which has no fields (RFC 9110 §15.2.1).
    package static let continueHead = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    private let serverLine: [UInt8]

    /// - Parameter serverName: Of the product only; nil for no `Server` field. One that is no field value is left out.
    package init(serverName: String?) {
        if let serverName, !serverName.isEmpty, HTTPField.isValidValue(serverName) {
            serverLine = Array("Server: \(serverName)\r\n".utf8)
        } else {
            serverLine = []
        }
    }

    /// Appends the head to `out`. The version is always our own, 1.1, also towards an HTTP/1.0 client (RFC 9112 §2.3).
    /// - Parameters:
    ///   - date: Now, in IMF-fixdate.
    /// - Returns: False, with `out` as it was, if the answer cannot be sent: its status is not final, or a value holds CR, LF or NUL.
    package func encode(
        _ response: ServerResponse, framing: ResponseFraming, version: HTTPVersion, date: [UInt8], into out: inout [UInt8]
    ) -> Bool {
        let start = out.count
        guard (200...599).contains(response.status.code), Self.isClean(response.status.reasonPhrase.utf8.span) else { return false }
        out.reserveCapacity(start + 512)
        Self.append("HTTP/1.1 ", to: &out)
        Self.appendDecimal(response.status.code, to: &out)
        out.append(Octet.space)
        out.append(contentsOf: response.status.reasonPhrase.utf8)
        Self.append("\r\nDate: ", to: &out)
        out.append(contentsOf: date)
        Self.append("\r\n", to: &out)
        out.append(contentsOf: serverLine)
        switch framing.length {
        case .absent, .untilClose: break
        case .known(let count):
            Self.append("Content-Length: ", to: &out)
            Self.appendDecimal(count, to: &out)
            Self.append("\r\n", to: &out)
        case .chunked:
            Self.append("Transfer-Encoding: chunked\r\n", to: &out)
        }
        if framing.closes {
            Self.append("Connection: close\r\n", to: &out)
        } else if version == .http10 {
            Self.append("Connection: keep-alive\r\n", to: &out)
        }
        for field in response.headerFields where !Self.isOurs(field.name) {
            guard Self.append(field, to: &out) else {
                out.removeSubrange(start...)
                return false
            }
        }
        Self.append("\r\n", to: &out)
        return true
    }

    /// The fields that frame the answer: from a handler they could contradict what is sent.
    private static func isOurs(_ name: HTTPField.Name) -> Bool {
        switch name.canonicalName {
        case "content-length", "transfer-encoding", "connection", "date", "server", "keep-alive", "trailer": true
        default: false
        }
    }

    private static func append(_ field: HTTPField, to out: inout [UInt8]) -> Bool {
        out.append(contentsOf: field.name.rawName.utf8)
        append(": ", to: &out)
        let value = field.value.utf8
        guard isClean(value.span) else { return false }
        out.append(contentsOf: value)
        append("\r\n", to: &out)
        return true
    }

    /// No octet that could end a line, and so begin a field or an answer of its own.
    static func isClean(_ octets: Span<UInt8>) -> Bool {
        for index in octets.indices {
            let octet = octets[index]
            if octet == Octet.carriageReturn || octet == Octet.lineFeed || octet == 0 { return false }
        }
        return true
    }

    @inline(__always)
    private static func append(_ text: StaticString, to out: inout [UInt8]) {
        text.withUTF8Buffer { unsafe out.append(contentsOf: $0) }
    }

    static func appendDecimal(_ number: Int, to out: inout [UInt8]) {
        let start = out.count
        var rest = number
        repeat {
            out.append(UInt8(0x30 + rest % 10))
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }
}
