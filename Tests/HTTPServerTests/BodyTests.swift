import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Bodies of requests")
struct BodyTests {
    private static let sum = TestResponder { request in
        let total = request.body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }
        return ServerResponse(body: .bytes(Array("\(request.body.count) \(total) \(request.body.capacity >= request.body.count + 64)".utf8)))
    }

    private func expected(_ body: [UInt8]) -> String {
        "\(body.count) \(body.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) }) true"
    }

    @Test("RFC 9112 §6.2: with a length", arguments: [1, 65_536, 262_144, 262_145, 5_000_000])
    func sized(count: Int) async throws {
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }
        try await withServer(Self.sum) { _, port in
            let client = try TestClient(port: port)
            try await client.send(Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(count)\r\n\r\n".utf8) + body)
            #expect(try await client.response().text == expected(body))
            #expect(try await client.get("/").status == 200)
        }
    }

    @Test("RFC 9112 §7.1: chunked", arguments: [1, 1_000, 100_000])
    func chunked(size: Int) async throws {
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }
        var wire = Array("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let used = size == 1 ? 60_000 : body.count
        for start in stride(from: 0, to: used, by: size) {
            let chunk = body[start..<min(start + size, used)]
            ChunkEncoder.appendSizeLine(chunk.count, to: &wire)
            wire += chunk + [13, 10]
        }
        wire += ChunkEncoder.last
        try await withServer(Self.sum) { [wire] _, port in
            let client = try TestClient(port: port)
            try await client.send(wire)
            #expect(try await client.response().text == expected(Array(body[..<used])))
            #expect(try await client.get("/").status == 200)
        }
    }

    @Test("RFC 9110 §10.1.1: a client that waits is told to go on, once it is admitted")
    func expectContinue() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            for _ in 0..<2 {
                try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                #expect(try await client.response().status == 100)
                try await client.send("hello")
                #expect(try await client.response().text == "POST / hello")
            }
        }
    }

    @Test("RFC 9110 §10.1.1: no 100 when the body has begun, when there is none, or in HTTP/1.0")
    func noContinue() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
            #expect(try await client.response().status == 200)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await client.response().status == 200)
            try await client.send("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            try await Task.sleep(for: .milliseconds(20))
            try await client.send("hello")
            #expect(try await client.response().status == 200)
        }
    }

    @Test("RFC 9110 §10.1.1: the final status comes before 100, and the connection closes")
    func refusedContinue() async throws {
        let responder = TestResponder(admission: { _ in .accept(maximumBodyBytes: 4) }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let response = try await client.response()
            #expect(response.status == 413)
            #expect(response.fields["connection"] == "close")
            #expect(try await client.hasEnded())
        }
    }

    @Test("An answer on the head alone skips a short body and goes on")
    func admissionSkips() async throws {
        let responder = TestResponder(
            admission: { head in
                head.path == "/no" ? .answer(ServerResponse(status: .unauthorized)) : .accept(maximumBodyBytes: 100)
            }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            let bodies = [
                "Content-Length: 5\r\n\r\nhello", "Content-Length: 262144\r\n\r\n" + String(repeating: "x", count: 262_144),
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "\r\n",
            ]
            for body in bodies {
                try await client.send("POST /no HTTP/1.1\r\nHost: h\r\n" + body)
                let response = try await client.response()
                #expect(response.status == 401)
                #expect(response.fields["connection"] == nil)
                #expect(try await client.get("/yes").status == 200)
            }
        }
    }

    @Test("An answer on the head alone closes when the body is longer, or awaits 100")
    func admissionCloses() async throws {
        let responder = TestResponder(admission: { _ in .answer(ServerResponse(status: .unauthorized)) }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            for fields in ["Content-Length: 262145", "Content-Length: 5\r\nExpect: 100-continue"] {
                let client = try TestClient(port: port)
                try await client.send("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n")
                let response = try await client.response()
                #expect(response.status == 401)
                #expect(response.fields["connection"] == "close")
                #expect(try await client.hasEnded())
            }
        }
    }

    @Test("A chunked body that turns out too long to skip ends the connection without a second answer")
    func admissionBreaksOff() async throws {
        let responder = TestResponder(admission: { _ in .answer(ServerResponse(status: .unauthorized)) }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            #expect(try await client.response().status == 401)
            try await client.send("40001\r\n")
            #expect(try await client.hasEnded())
        }
    }

    @Test("RFC 9112 §9.6: the answer to a refused body reaches a client that is still sending")
    func lingering() async throws {
        let responder = TestResponder(admission: { _ in .accept(maximumBodyBytes: 1_000) }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n")
            try await client.send([UInt8](repeating: 0, count: 8_000_000))
            #expect(try await client.response().status == 413)
            #expect(try await client.hasEnded())
        }
    }
}
