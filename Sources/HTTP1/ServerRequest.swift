package import HTTPTypes

/// The two protocol versions that are spoken; a higher minor version of HTTP/1 counts as 1.1 (RFC 9112 §2.3).
package enum HTTPVersion: Sendable, Equatable {
    case http10
    case http11
}

/// What a responder knows of a request that it has admitted. An object, so that it goes along without being copied.
package protocol RequestContext: AnyObject, Sendable {}

/// One whole request: header section and body, exactly as many bytes as its framing said.
package struct ServerRequest: Sendable {
    /// Method, target in origin form (path and query, percent-encoding untouched), authority and fields.
    package var head: HTTPRequest
    package var version: HTTPVersion
    /// The body after removal of the transfer coding. Trailers are discarded.
    package var body: [UInt8]
    /// The memory of the body; nil if none was reserved. A reader of the body keeps it.
    package var lease: (any BodyLease)?
    /// Numeric address of the peer.
    package var remoteAddress: String
    /// The name of the key that the client gave; nil where none is asked for. What one client keeps under a name of its own, another must not see.
    package var keyName: String?
    /// What responders found out about it when it was admitted.
    package var context: (any RequestContext)?

    package init(head: HTTPRequest, version: HTTPVersion = .http11, body: [UInt8] = [], remoteAddress: String = "127.0.0.1") {
        self.head = head
        self.version = version
        self.body = body
        self.remoteAddress = remoteAddress
    }
}
