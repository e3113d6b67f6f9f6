package import HTTPTypes

/// What of an exchange decides how its answer is framed.
package struct ResponseContext: Sendable, Equatable {
    /// Nil when the request was refused before its method was known.
    package var method: HTTPRequest.Method?
    package var version: HTTPVersion
    /// Whether both sides are willing to go on with the connection.
    package var keepsAlive: Bool

    package init(method: HTTPRequest.Method?, version: HTTPVersion, keepsAlive: Bool) {
        self.method = method
        self.version = version
        self.keepsAlive = keepsAlive
    }
}

/// How the content of an answer is sent, and how the client finds its end (RFC 9112 §6.3).
package struct ResponseFraming: Sendable, Equatable {
    package enum Length: Sendable, Equatable {
        /// 204 and 304: no content, and no field that speaks of one.
        case absent
        case known(Int)
        case chunked
        /// HTTP/1.0 without a length: the end of the connection is the end of the content.
        case untilClose
    }

    package var length: Length
    /// False for HEAD, 204 and 304, whatever the handler gave.
    package var sendsContent: Bool
    package var closes: Bool

    package init(_ response: ServerResponse, _ context: ResponseContext) {
        let isHead = context.method == .head
        switch response.status.code {
        case 204, 304:
            // A handler answers a conditional HEAD or GET alike; RFC 9110 §8.6 lets 304 leave Content-Length out.
            length = .absent
        case 205:
            // RFC 9110 §15.3.6: no content, and the client must see that there is none.
            length = .known(0)
        default:
            length =
                switch response.body {
                case .bytes(let bytes): .known(bytes.count)
                case .stream(let count?, _), .pieces(let count?, _): .known(max(count, 0))
                case .stream(nil, _), .pieces(nil, _): context.version == .http11 ? .chunked : .untilClose
                }
        }
        sendsContent = !isHead && length != .absent && response.status.code != 205
        closes = !context.keepsAlive || (length == .untilClose && !isHead)
    }
}
