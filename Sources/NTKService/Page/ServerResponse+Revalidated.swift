package import HTTP1
package import HTTPTypes

extension ServerResponse {
    /// JSON with a tag of its content, or 304 to a client that has it (RFC 9110 §13.1.2). It may change: a client asks each time.
    package static func revalidated(_ json: String, for head: HTTPRequest) -> ServerResponse {
        StaticDocument(mediaType: "application/json", content: Array(json.utf8)).response(to: head)
    }
}
