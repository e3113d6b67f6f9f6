package import HTTPTypes

/// What serves requests, seen from the connection: it knows no socket, so it can be tested without one.
package protocol HTTPResponder: Sendable {
    /// Decides on the header section alone, before a body is read or `100 (Continue)` is sent (RFC 9110 §10.1.1). Runs on the event loop: quick.
    /// - Parameter request: without its body. What is found out about it, `context` and `keyName`, is noted in it, and there when it is answered.
    func admit(_ request: inout ServerRequest) -> Admission

    /// Answers one request. Starts on the event loop, so slow work must leave it. The task is cancelled when the client is gone.
    func respond(to request: ServerRequest) async -> ServerResponse

    /// Words the answer to a message that breaks the protocol; the connection closes after it.
    /// - Parameter head: nil if the header section was not complete.
    func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse
}

package enum Admission: Sendable {
    /// Go on; a body longer than this many bytes is refused with 413. It may become so many more once its coding is undone.
    case accept(maximumBodyBytes: Int, growth: Int = 0)
    /// Answer at once, without the body.
    case answer(ServerResponse)
}
