import HTTP1
import HTTPTypes

/// `/` answers with the content of the request, `/echo` with its fields, a line each, `/cookie` with the pairs of its cookies, a line each.
struct EchoResponder: HTTPResponder {
    private static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

    func admit(_ request: inout ServerRequest) -> Admission { .accept(maximumBodyBytes: 1 << 20) }

    func respond(to request: ServerRequest) async -> ServerResponse {
        let head = request.head
        if head.path == "*" { return ServerResponse(status: .noContent, headerFields: [.allow: Self.methods]) }
        var response: ServerResponse
        switch head.path?.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first {
        case "/": response = Self.text(request.body)
        case "/echo":
            let host = head.authority.map { ["Host: \($0)"] } ?? []
            response = Self.lines(host + head.headerFields.map { "\($0.name.rawName): \($0.value)" })
        case "/cookie":
            let pairs = head.headerFields[values: .cookie].flatMap { $0.split(separator: ";") }
            response = Self.lines(pairs.map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty })
        default: response = ServerResponse(status: .notFound, headerFields: [.contentType: "text/plain"])
        }
        if head.method == .options { response.headerFields[.allow] = Self.methods }
        return response
    }

    func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        var response = Self.lines([rejection.detail, rejection.rule])
        response.status = rejection.status
        return response
    }

    private static func lines(_ lines: [String]) -> ServerResponse { text(lines.flatMap { Array($0.utf8) + [0x0A] }) }

    private static func text(_ content: [UInt8]) -> ServerResponse {
        ServerResponse(headerFields: [.contentType: "text/plain; charset=utf-8"], body: .bytes(content))
    }
}
