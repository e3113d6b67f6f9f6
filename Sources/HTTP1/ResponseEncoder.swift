package import HTTPTypes

/// How the end of an answer's content is told to the client.
package enum ResponseFraming: Sendable, Equatable {
    /// No content at all, and no field that speaks of it: 1xx, 204, 304 (RFC 9110 §8.6, RFC 9112 §6.1).
    case none
    case length(Int)
    case chunked
    /// By the end of the connection: an HTTP/1.0 client knows nothing else where the length is not known.
    case close
}

/// Writes the octets of answers.
package enum ResponseEncoder {
    /// Status line and header section.
    /// - Parameter date: the value of `Date`.
    package static func encodeHead(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, framing: ResponseFraming, closes: Bool, keepsAlive10: Bool, date: String,
        into bytes: inout [UInt8]
    ) {
        bytes += "HTTP/1.1 ".utf8
        bytes += String(status.code).utf8
        bytes.append(Octet.space)
        bytes += status.reasonPhrase.utf8
        bytes += "\r\nServer: ntk-server\r\nDate: ".utf8
        bytes += date.utf8
        bytes += "\r\n".utf8
        for field in fields {
            // HTTPField holds no CR, LF or NUL: its initializer replaces them (a value from a request could split the answer otherwise).
            bytes += field.name.rawName.utf8
            bytes += ": ".utf8
            bytes += field.value.utf8
            bytes += "\r\n".utf8
        }
        switch framing {
        case .length(let length):
            bytes += "Content-Length: ".utf8
            bytes += String(length).utf8
            bytes += "\r\n".utf8
        case .chunked: bytes += "Transfer-Encoding: chunked\r\n".utf8
        case .none, .close: break
        }
        if closes {
            bytes += "Connection: close\r\n".utf8
        } else if keepsAlive10 {
            bytes += "Connection: keep-alive\r\n".utf8
        }
        bytes += "\r\n".utf8
    }

    /// The line before a chunk's data (RFC 9112 §7.1).
    package static func chunkHead(size: Int) -> [UInt8] { Array("\(String(size, radix: 16))\r\n".utf8) }

    package static var chunkEnd: [UInt8] { [Octet.cr, Octet.lf] }
    package static var lastChunk: [UInt8] { Array("0\r\n\r\n".utf8) }
    package static var continueHead: [UInt8] { Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) }
}
