internal import HTTP1
internal import HTTPTypes

// The pages of problems: plain text for a `type` that is followed with curl; browsers ask for HTML.
extension Operation {
    static let problems = [
        page("/problems") { _ in ProblemPage.index },
        page("/problems/{type}") { $0["type"].flatMap { ProblemPage.all[$0] } },
    ]

    private static func page(_ path: String, _ find: @escaping @Sendable (PathSegments) -> ProblemPage?) -> Operation {
        let types = ["text/plain", "text/html"]
        return get(path, answerTypes: types, audience: .everyone) { _, request in
            guard let page = find(request.path) else {
                throw ProblemDetails(
                    status: .notFound, type: .notFound, title: "There is nothing here",
                    detail: "one of \(ProblemType.allCases.map(\.rawValue).joined(separator: ", ")) expected; "
                        + "\(request.path["type"]?.prefix(80) ?? "none") came")
            }
            let accept = request.head.headerFields.value(.accept) ?? "*/*"
            let (text, html) = (MediaRange.quality(accept, types[0])?.quality ?? 0, MediaRange.quality(accept, types[1])?.quality ?? 0)
            var response = try (html > text ? page.html : page.text).response(to: request.head)
            response.headerFields[.vary] = "Accept"
            return response
        }
    }
}
