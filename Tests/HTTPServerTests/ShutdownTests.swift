import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Shutdown")
struct ShutdownTests {
    @Test("What is in flight is answered, with a close announced; idle connections end; no new ones are taken")
    func graceful() async throws {
        let started = Gate()
        let gate = Gate()
        let responder = TestResponder { request in
            if request.head.path == "/slow" {
                started.open()
                await gate.wait()
            }
            return ServerResponse(body: .bytes(Array("done".utf8)))
        }
        let server = try HTTPServer.start(configured(), responder: responder)
        let port = server.address.port
        let idle = try TestClient(port: port)
        #expect(try await idle.get("/").status == 200)
        let busy = try TestClient(port: port)
        try await busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        await started.wait()

        async let shutdown: Void = server.shutdown(within: .seconds(60))
        #expect(try await idle.hasEnded())
        await idle.close()
        #expect(throws: TestClient.Failure.self) { try TestClient(port: port) }
        gate.open()
        let response = try await busy.response()
        #expect(response.text == "done")
        #expect(response.fields["connection"] == "close")
        #expect(try await busy.hasEnded())
        await busy.close()
        await shutdown
        #expect(server.connectionCount == 0)
    }

    @Test("A request whose header section has begun is still served")
    func begun() async throws {
        let server = try HTTPServer.start(configured(), responder: TestResponder.echo)
        let client = try TestClient(port: server.address.port)
        try await client.send("GET / HTTP/1.1\r\n")
        try await Task.sleep(for: .milliseconds(50))
        async let shutdown: Void = server.shutdown(within: .seconds(60))
        try await Task.sleep(for: .milliseconds(50))
        try await client.send("Host: h\r\n\r\n")
        #expect(try await client.response().status == 200)
        #expect(try await client.hasEnded())
        await client.close()
        await shutdown
    }

    @Test("After the deadline the rest is reset and cancelled")
    func deadline() async throws {
        let started = Gate()
        let cancelled = Gate()
        let responder = TestResponder { _ in
            started.open()
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(30)) }
            cancelled.open()
            return ServerResponse()
        }
        let server = try HTTPServer.start(configured(), responder: responder)
        let client = try TestClient(port: server.address.port)
        try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await started.wait()
        await server.shutdown(within: .milliseconds(50))
        await cancelled.wait()
        await #expect(throws: TestClient.Failure.self) { try await client.response() }
        #expect(server.connectionCount == 0)
    }

    @Test("A server without connections ends at once, and may be told so twice")
    func empty() async throws {
        let server = try HTTPServer.start(configured(), responder: TestResponder.echo)
        await server.shutdown(within: .seconds(60))
        await server.shutdown(within: .seconds(60))
    }
}

@Suite("Listening")
struct ListeningTests {
    @Test("The address that was bound is told, also for a name and for IPv6", arguments: ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
    func addresses(host: String) async throws {
        var configuration = HTTPServerConfiguration()
        configuration.host = host
        let server: HTTPServer
        do {
            server = try HTTPServer.start(configuration, responder: TestResponder.echo)
        } catch {
            // A machine without IPv6 says so.
            #expect(host.contains(":"))
            return
        }
        #expect(server.address.port > 0)
        #expect(server.address.description.hasSuffix(":\(server.address.port)"))
        if host == "0.0.0.0" || host == "::" || host == "127.0.0.1" {
            let client = try TestClient(port: server.address.port)
            #expect(try await client.get("/").status == 200)
        }
        await server.shutdown(within: .zero)
    }

    @Test("A port that is taken, and a host that is not there, are errors that say so")
    func errors() async throws {
        let server = try HTTPServer.start(configured(), responder: TestResponder.echo)
        var configuration = HTTPServerConfiguration()
        configuration.port = server.address.port
        #expect {
            try HTTPServer.start(configuration, responder: TestResponder.echo)
        } throws: { error in
            "\(error)".contains("127.0.0.1") && "\(error)".contains("\(server.address.port)")
        }
        configuration.host = "a..b"
        #expect {
            try HTTPServer.start(configuration, responder: TestResponder.echo)
        } throws: { error in
            "\(error)".contains("a..b")
        }
        await server.shutdown(within: .zero)
    }

    @Test("IPv6 addresses have brackets in text")
    func text() {
        #expect(BoundAddress(host: "::1", port: 80).description == "[::1]:80")
        #expect(BoundAddress(host: "127.0.0.1", port: 80).description == "127.0.0.1:80")
    }
}
