import HTTP1
import HTTPServer
import HTTPTypes
import TestSupport
import Testing

@Suite("Connections")
struct KeepAliveTests {
    @Test("RFC 9112 §9.3: one connection serves request after request")
    func keepAlive() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            for number in 0..<20 {
                let response = try await client.get("/\(number)")
                #expect(response.status == 200)
                #expect(response.text == "GET /\(number) ")
                #expect(response.fields["connection"] == nil)
            }
        }
    }

    @Test("RFC 9110 §6.6.1: Date and Server are on every answer")
    func ownFields() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            let response = try await client.get("/")
            #expect(response.fields["server"] == "ntk-server")
            #expect(response.fields["date"]?.utf8.count == 29)
            #expect(response.fields["content-length"] == "6")
        }
    }

    @Test("RFC 9112 §9.3.2: pipelined requests are answered in order, one at a time")
    func pipelining() async throws {
        let inFlight = Counter()
        let most = Counter()
        let responder = TestResponder { request in
            if inFlight.increment() - most.value > 1 { Issue.record("two in flight") }
            if request.head.path == "/0" { try? await Task.sleep(for: .milliseconds(50)) }
            most.increment()
            return ServerResponse(body: .bytes(Array((request.head.path ?? "").utf8)))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send((0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for number in 0..<500 {
                #expect(try await client.response().text == "/\(number)")
            }
            #expect(try await client.get("/x").text == "/x")
        }
    }

    @Test("Requests sent ahead in pieces, while one is in flight, are served after it")
    func pipeliningInPieces() async throws {
        let gate = Gate()
        let responder = TestResponder { request in
            if request.head.path == "/slow" { await gate.wait() }
            return ServerResponse(body: .bytes(Array((request.head.path ?? "").utf8)))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /b HT")
            try await Task.sleep(for: .milliseconds(20))
            try await client.send("TP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\n")
            try await Task.sleep(for: .milliseconds(20))
            gate.open()
            #expect(try await client.response().text == "/slow")
            #expect(try await client.response().text == "/b")
            try await client.send("Host: h\r\n\r\n")
            #expect(try await client.response().text == "/c")
        }
    }

    @Test("RFC 9112 §9.6: a client that asks for a close gets one, announced")
    func close() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            let response = try await client.get("/", "Connection: close")
            #expect(response.fields["connection"] == "close")
            #expect(try await client.hasEnded())
        }
    }

    @Test("RFC 9112 §9.6: nothing behind a close is served")
    func behindClose() async throws {
        let count = Counter()
        let responder = TestResponder { _ in
            count.increment()
            return ServerResponse()
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try await client.response()
            #expect(try await client.hasEnded())
            #expect(count.value == 1)
        }
    }

    @Test("RFC 9112 §9.3: HTTP/1.0 closes, unless it asks to go on")
    func http10() async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let first = try await client.response()
            #expect(first.text == "GET /a ")
            #expect(first.fields["connection"] == "keep-alive")
            try await client.send("GET /b HTTP/1.0\r\n\r\n")
            let second = try await client.response()
            #expect(second.text == "GET /b ")
            #expect(second.fields["connection"] == "close")
            #expect(try await client.hasEnded())
        }
    }

    @Test("A client that has ended its side still gets its answers")
    func halfClose() async throws {
        let responder = TestResponder { request in
            for _ in 0..<10 { await Task.yield() }
            return ServerResponse(body: .bytes(Array((request.head.path ?? "").utf8)))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
            await client.endSending()
            #expect(try await client.response().text == "/a")
            #expect(try await client.response().text == "/b")
            #expect(try await client.hasEnded())
        }
    }

    @Test("The same requests are served however their bytes are cut", arguments: [1, 2, 3, 4])
    func cuts(seed: UInt64) async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            var generator = SeededGenerator(seed: seed)
            let text = Array(
                ("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
                    + "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n").utf8)
            var start = 0
            while start < text.count {
                let end = min(text.count, start + Int.random(in: 1...40, using: &generator))
                try await client.send(Array(text[start..<end]))
                if Bool.random(using: &generator) { try await Task.sleep(for: .milliseconds(1)) }
                start = end
            }
            #expect(try await client.response().text == "POST /a hello", "seed \(seed)")
            #expect(try await client.response().text == "GET /b ")
            #expect(try await client.response().text == "POST /c abcde")
        }
    }

    @Test("Many connections at once")
    func many() async throws {
        try await withServer { server, port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let client = try TestClient(port: port)
                        for request in 0..<20 {
                            #expect(try await client.get("/\(number)/\(request)").text == "GET /\(number)/\(request) ")
                        }
                        await client.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test("The peer's address is numeric")
    func peer() async throws {
        let responder = TestResponder { ServerResponse(body: .bytes(Array($0.remoteAddress.utf8))) }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            #expect(try await client.get("/").text == "127.0.0.1")
        }
    }
}
