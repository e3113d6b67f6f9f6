import HTTP1
import HTTPServer
import HTTPTypes

/// The bare HTTP layer: `GET /livez` with a small JSON body, `GET /zeros/N` streams N bytes, `POST /count` answers a body's length.
@main
struct Main {
    static func main() async throws {
        var configuration = HTTPServerConfiguration()
        configuration.port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 8080
        let server = try HTTPServer.start(configuration, responder: Bare())
        print("listening on \(server.address)")
        try await Task.sleep(for: .seconds(86_400))
    }
}

struct Bare: HTTPResponder {
    func admit(_ head: HTTPRequest) -> Admission { .accept(maximumBodyBytes: 1 << 30) }

    func respond(to request: ServerRequest) async -> ServerResponse {
        switch request.head.path ?? "" {
        case "/livez":
            return ServerResponse(headerFields: [.contentType: "application/json"], body: .bytes(Array(#"{"status":"ok"}"#.utf8)))
        case "/count":
            return ServerResponse(body: .bytes(Array("\(request.body.count)\n".utf8)))
        case let path where path.hasPrefix("/zeros/"):
            let chunk = [UInt8](repeating: 0x30, count: 256 * 1024)
            let chunks = (Int(path.dropFirst(7)) ?? 0) / chunk.count
            let left = Countdown(chunks)
            return ServerResponse(body: .stream(length: nil) { await left.next() ? chunk : nil })
        default:
            return ServerResponse(status: .notFound)
        }
    }

    func answer(to rejection: HTTPRejection) -> ServerResponse {
        ServerResponse(status: rejection.status, body: .bytes(Array("\(rejection.detail) (\(rejection.rule))\n".utf8)))
    }
}

actor Countdown {
    private var left: Int
    init(_ left: Int) { self.left = left }
    func next() -> Bool {
        left -= 1
        return left >= 0
    }
}
