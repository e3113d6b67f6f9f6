import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Timeouts")
struct TimeoutTests {
    @Test("A connection without a request ends without a word")
    func idle() async throws {
        try await withServer(.echo, configured { $0.idleTimeout = .milliseconds(50) }) { server, port in
            let fresh = try TestClient(port: port)
            #expect(try await fresh.hasEnded())
            let used = try TestClient(port: port)
            #expect(try await used.get("/").status == 200)
            #expect(try await used.hasEnded())
            await fresh.close()
            await used.close()
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test("RFC 9110 §15.5.9: a header section that trickles in is 408, and earns no time by it")
    func header() async throws {
        try await withServer(.echo, configured { $0.headerTimeout = .milliseconds(300) }) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n")
            let trickle = Task {
                while !Task.isCancelled {
                    try await client.send("X: a\r\n")
                    try await Task.sleep(for: .milliseconds(400))
                }
            }
            try await Task.sleep(for: .milliseconds(500))
            trickle.cancel()
            let response = try await client.response()
            #expect(response.status == 408)
            #expect(response.fields["connection"] == "close")
            #expect(try await client.hasEnded())
        }
    }

    @Test("RFC 9110 §15.5.9: a body that stalls is 408")
    func body() async throws {
        try await withServer(.echo, configured { $0.bodyTimeout = .milliseconds(100) }) { _, port in
            let client = try TestClient(port: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")
            #expect(try await client.response().status == 408)
            #expect(try await client.hasEnded())
        }
    }

    @Test("RFC 9110 §15.5.9: a long body must come faster than a short one")
    func longBody() async throws {
        let configuration = configured {
            $0.bodyTimeout = .milliseconds(300)
            $0.longestBody = .seconds(10)
        }
        try await withServer(.echo, configuration) { _, port in
            // At 1,000 octets a second at most: enough for 500 a second, not for 100,000.
            for (length, status) in [(20, 200), (1_000_000, 408)] {
                let client = try TestClient(port: port)
                try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n")
                let trickle = Task {
                    for _ in 0..<20 {
                        try await client.send("x")
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                try await trickle.value
                #expect(try await client.response().status == status)
                await client.close()
            }
        }
    }

    @Test("A request in flight is not timed")
    func inFlight() async throws {
        let responder = TestResponder { _ in
            try? await Task.sleep(for: .milliseconds(300))
            return ServerResponse()
        }
        let configuration = configured {
            $0.idleTimeout = .milliseconds(50)
            $0.headerTimeout = .milliseconds(50)
            $0.bodyTimeout = .milliseconds(50)
            $0.writeTimeout = .milliseconds(50)
        }
        try await withServer(responder, configuration) { _, port in
            let client = try TestClient(port: port)
            #expect(try await client.get("/").status == 200)
        }
    }

    @Test("A client that takes nothing of its answer is let go")
    func writing() async throws {
        let responder = TestResponder { _ in ServerResponse(body: .bytes([UInt8](repeating: 0, count: 50_000_000))) }
        try await withServer(responder, configured { $0.writeTimeout = .milliseconds(100) }) { server, port in
            let client = try TestClient(port: port, receiveBuffer: 4_096)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { server.connectionCount == 1 })
            #expect(await eventually { server.connectionCount == 0 })
            await client.close()
        }
    }

    @Test("A client that does not close after the last answer is not waited for")
    func lingering() async throws {
        try await withServer(.echo, configured { $0.lingerTimeout = .milliseconds(100) }) { server, port in
            let client = try TestClient(port: port)
            #expect(try await client.get("/", "Connection: close").status == 200)
            #expect(await eventually { server.connectionCount == 0 })
            await client.close()
        }
    }
}
