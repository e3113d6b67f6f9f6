internal import HTTP1
internal import HTTPTypes

// The page, the reference, their files, and the description of the interface.
extension Operation {
    static let documents = [
        document("/openapi.yaml", ["application/yaml"]) { _ in OpenAPIDocument.yaml },
        document("/openapi.json", ["application/json"]) { _ in OpenAPIDocument.json },
        document("/", ["text/html"]) { _ in PageFiles.all["index.html"] },
        document("/docs", ["text/html"]) { _ in PageFiles.all["docs.html"] },
        document("/page/{file}", ["text/javascript", "text/css", "image/svg+xml"]) { $0["file"].flatMap { PageFiles.all[$0] } },
    ]

    private static func document(
        _ path: String, _ types: [String], _ find: @escaping @Sendable (PathSegments) -> StaticDocument?
    ) -> Operation {
        get(path, answerTypes: types, audience: .everyone) { _, request in
            guard let document = find(request.path) else {
                throw ProblemDetails(
                    status: .notFound, type: .notFound, title: "There is nothing here",
                    detail: "one of \(PageFiles.all.keys.sorted().joined(separator: ", ")) expected; \(request.path["file"] ?? "none") came")
            }
            return try document.response(to: request.head)
        }
    }
}
