internal import HTTP1
internal import HTTPTypes

extension NTKService {
    /// The page, the reference, their files, and the description of the interface.
    func document(_ head: HTTPRequest, _ route: Route, file: String?) throws(ProblemDetails) -> ServerResponse {
        let document: StaticDocument? =
            switch route {
            case .openapi: OpenAPIDocument.yaml
            case .openapiJSON: OpenAPIDocument.json
            case .page: PageFiles.all["index.html"]
            case .docs: PageFiles.all["docs.html"]
            default: file.flatMap { PageFiles.all[$0] }
            }
        guard let document else {
            throw ProblemDetails(
                status: .notFound, type: "not-found", title: "There is nothing here",
                detail: "one of \(PageFiles.all.keys.sorted().joined(separator: ", ")) expected; \(file ?? "none") came")
        }
        return try document.response(to: head)
    }
}
