internal import HTTP1
internal import HTTPTypes

/// Content that is the same for all clients and has an entity tag: the page's files, the description of the interface, what is stored.
struct StaticDocument: Sendable {
    let mediaType: String
    let content: [UInt8]
    let tag: EntityTag
    /// Seconds since 1970, where they are known.
    let lastModified: Int?

    init(mediaType: String, content: [UInt8], lastModified: Int? = nil) {
        self.mediaType = mediaType
        self.lastModified = lastModified
        self.content = content
        tag = EntityTag(of: content)
    }

    /// The document, or 304 to a client that has it, or 412 to one that asks for another. A cache asks each time whether it still has the right one: the names of the page's
    /// files do not change with their content.
    func response(to head: HTTPRequest) throws(ProblemDetails) -> ServerResponse {
        let conditions = Preconditions(tag, lastModified: lastModified)
        var fields = conditions.headerFields
        fields[.cacheControl] = "no-cache"
        if try conditions.isNotModified(head) { return ServerResponse(status: .notModified, headerFields: fields) }
        fields[.contentType] = mediaType
        fields[.xContentTypeOptions] = "nosniff"
        if mediaType.hasPrefix("text/html") { fields.append(contentsOf: Self.pagePolicy) }
        return ServerResponse(headerFields: fields, body: .bytes(content))
    }

    /// What a page may do: load from this server and ask it, nothing else; no script or style inside the page.
    private static let pagePolicy: HTTPFields = {
        var fields: HTTPFields = [
            .contentSecurityPolicy: """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
            form-action 'none'; frame-ancestors 'none'
            """
        ]
        if let name = HTTPField.Name("Referrer-Policy") { fields[name] = "no-referrer" }
        return fields
    }()
}
