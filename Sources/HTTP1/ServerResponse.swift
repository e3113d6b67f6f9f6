package import HTTPTypes

/// An answer. `Date`, `Server`, `Content-Length`, `Transfer-Encoding` and `Connection` belong to the server and are added there.
package struct ServerResponse: Sendable {
    package var status: HTTPResponse.Status
    package var headerFields: HTTPFields
    package var body: ResponseBody
    /// The fault of our own that the answer tells of: for the log, not sent.
    package var fault: String?

    package init(status: HTTPResponse.Status = .ok, headerFields: HTTPFields = [:], body: ResponseBody = .bytes([])) {
        self.status = status
        self.headerFields = headerFields
        self.body = body
    }
}

/// The content of an answer, whole or made as it is sent.
package enum ResponseBody: Sendable {
    case bytes([UInt8])
    /// Each call of `next` gives the following chunk, nil at the end; it is called only when the peer has taken what came before.
    /// With a `length` the sum of the chunks must equal it; without, the answer is chunked (HTTP/1.1) or ends with the connection (1.0).
    /// An error aborts the connection, so that the peer can tell a cut answer from a whole one.
    case stream(length: Int?, next: @Sendable () async throws -> [UInt8]?)
    /// As `stream`, of chunks that are made without a wait, and fast: on the event loop.
    case pieces(length: Int?, next: @Sendable () throws -> [UInt8]?)
}
