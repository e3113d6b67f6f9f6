import ComputeExecutor
import HTTP1
import HTTPTypes
import NTKService
import Testing

struct RoutingTests {
    let client = ServiceClient()

    @Test(arguments: ["/livez", "/readyz", "/healthz", "/metrics", "/version", "/openapi.yaml"])
    func resourcesCanBeRead(path: String) async throws {
        #expect(try await client.send(.get, path).status == 200)
        #expect(try await client.send(.head, path).status == 200)
        let options = try await client.send(.options, path)
        #expect(options.status == 204 && options.fields[.allow] == "GET, HEAD, OPTIONS")
    }

    @Test func notReadyWithoutItsDirectory() async throws {
        let service = NTKService(executor: .init(width: 1)) { "the disk is away" }
        let answer = await service.respond(to: .init(head: HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/readyz")))
        #expect(answer.status.code == 503 && answer.headerFields[.retryAfter] == "1")
        guard case .bytes(let body) = answer.body else { return #expect(Bool(false), "a short text") }
        #expect(String(decoding: body, as: UTF8.self).contains("the disk is away"))
    }

    @Test(arguments: ["/v1", "/v1/kernels/", "/livez/x", "/%6civez%2f"])
    func unknownPathsAre404(path: String) async throws {
        #expect(try await client.send(.get, path).status == 404)
    }

    @Test func percentEncodingIsDecoded() async throws {
        #expect(try await client.send(.get, "/%6Civez").status == 200)
        #expect(try await client.send(.get, "/%6").status == 400)
        #expect(try await client.send(.get, "/%ff").status == 400)
    }

    @Test func otherMethodsAre405WithAllow() async throws {
        let answer = try await client.send(.get, "/v1/kernels")
        #expect(answer.status == 405 && answer.fields[.allow] == "POST, OPTIONS")
        #expect(try await client.send(.post, "/livez").fields[.allow] == "GET, HEAD, OPTIONS")
    }

    @Test func onlyJSONIsRead() async throws {
        for type in ["text/plain", "application/x-www-form-urlencoded", "application/json2"] {
            let answer = try await client.send(.post, "/v1/kernels", [.contentType: type], body: Array("{}".utf8))
            #expect(answer.status == 415 && answer.fields[.accept] == "application/json, multipart/form-data, application/x-npz")
        }
        let answer = try await client.send(.post, "/v1/kernels", [.contentType: "Application/JSON; charset=utf-8"], body: Array("{}".utf8))
        #expect(answer.status == 422)
    }

    @Test(arguments: [
        ("*/*", 200), ("application/json", 200), ("application/*;q=0.1", 200), ("text/html", 406), ("application/json;q=0, */*", 406),
        ("text/html, application/json;q=0.5", 200),
    ])
    func accept(range: String, status: Int) async throws {
        #expect(try await client.send(.get, "/livez", [.accept: range]).status == status)
    }

    @Test func requestIDsAreEchoedOrMade() async throws {
        let name = try #require(HTTPField.Name("X-Request-Id"))
        #expect(try await client.send(.get, "/livez", [name: "abc-1"]).fields[name] == "abc-1")
        #expect(try await client.send(.get, "/nothing", [name: "abc-1"]).fields[name] == "abc-1")
        #expect(try await client.send(.get, "/livez", [name: "a b"]).fields[name]?.count == 16)
        #expect(try await client.send(.get, "/livez").fields[name]?.count == 16)
    }

    @Test func unknownParametersAreRefused() async throws {
        let request = #"{"architecture":{"type":"dense"},"x1":[[1]]}"#
        #expect(try await client.post("/v1/kernels?format=json", request).status == 200)
        #expect(try await client.post("/v1/kernels?estimate=true", request).status == 400)
        #expect(try await client.post("/v1/kernels?format=xml", request).status == 400)
    }

    @Test func timesAreReported() async throws {
        let name = try #require(HTTPField.Name("Server-Timing"))
        let timing = try await client.post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1]]}"#).fields[name]
        for part in ["parse;dur=", "queue;dur=", "compute;dur=", "encode;dur="] { #expect(timing?.contains(part) == true) }
    }
}
