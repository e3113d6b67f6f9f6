package import HTTP1
package import HTTPTypes

extension ServerResponse {
    /// JSON with a tag of its content, or 304 to a client that has it, or 412 to one that asks for another (RFC 9110 §13.2.2). It may change: a client asks each time.
    package static func revalidated(_ json: String, for head: HTTPRequest) throws(ProblemDetails) -> ServerResponse {
        try StaticDocument(mediaType: "application/json", content: Array(json.utf8)).response(to: head)
    }
}
