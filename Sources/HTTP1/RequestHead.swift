package import HTTPTypes

/// A header section that has come whole and broken no rule; the body may follow.
package struct RequestHead: Sendable {
    package var request: HTTPRequest
    package var version: HTTPVersion
    /// Whether the client waits for `100 (Continue)` before it sends the body.
    package var expectsContinue: Bool
    /// Whether the connection may carry another request after this one (RFC 9112 §9.3).
    package var keepsAlive: Bool
    let framing: Framing

    /// The Content-Length, if the body is framed by one.
    package var declaredLength: Int? {
        if case .length(let length) = framing { length } else { nil }
    }

    package var hasBody: Bool { framing != .none }
}
