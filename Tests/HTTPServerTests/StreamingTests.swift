import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Answers")
struct StreamingTests {
    private struct Broken: Error {}

    /// Chunks of these sizes, each filled with its number.
    private static func streamed(_ sizes: [Int], length: Int? = nil, fails: Bool = false) -> TestResponder {
        TestResponder { _ in
            let count = Counter()
            return ServerResponse(
                body: .stream(length: length) {
                    let number = count.increment()
                    if number > sizes.count {
                        if fails { throw Broken() }
                        return nil
                    }
                    await Task.yield()
                    return [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: sizes[number - 1])
                })
        }
    }

    private static func content(_ sizes: [Int]) -> [UInt8] {
        sizes.enumerated().flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: $0 + 1), count: $1) }
    }

    private static let sizes = [1, 0, 16_384, 16_385, 100, 300_000, 7]

    @Test("RFC 9112 §7.1: without a length, chunked")
    func chunked() async throws {
        try await withServer(Self.streamed(Self.sizes)) { _, port in
            let client = try TestClient(port: port)
            for _ in 0..<3 {
                let response = try await client.get("/")
                #expect(response.fields["transfer-encoding"] == "chunked")
                #expect(response.body == Self.content(Self.sizes))
            }
        }
    }

    @Test("RFC 9112 §6.2: with a length")
    func sized() async throws {
        let length = Self.sizes.reduce(0, +)
        try await withServer(Self.streamed(Self.sizes, length: length)) { _, port in
            let client = try TestClient(port: port)
            for _ in 0..<3 {
                let response = try await client.get("/")
                #expect(response.fields["content-length"] == "\(length)")
                #expect(response.body == Self.content(Self.sizes))
            }
        }
    }

    @Test("RFC 9112 §6.3: for HTTP/1.0 without a length, up to the close")
    func untilClose() async throws {
        try await withServer(Self.streamed(Self.sizes)) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let response = try await client.response()
            #expect(response.fields["transfer-encoding"] == nil)
            #expect(response.fields["content-length"] == nil)
            #expect(response.fields["connection"] == "close")
            #expect(response.body == Self.content(Self.sizes))
        }
    }

    @Test("RFC 9110 §9.3.2: HEAD has GET's fields, and asks for no chunk")
    func head() async throws {
        let asked = Counter()
        let responder = TestResponder { request in
            request.head.path == "/stream"
                ? ServerResponse(
                    body: .stream(length: nil) {
                        asked.increment()
                        return nil
                    }) : ServerResponse(body: .bytes([1, 2, 3]))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.response(toHead: true).fields["content-length"] == "3")
            #expect(try await client.response(toHead: true).fields["transfer-encoding"] == "chunked")
            #expect(try await client.response().body == [1, 2, 3])
            #expect(asked.value == 0)
        }
    }

    @Test("RFC 9110 §8.6: 204 and 304 without content or length", arguments: [204, 304])
    func noContent(code: Int) async throws {
        let responder = TestResponder { request in
            ServerResponse(status: .init(code: request.head.path == "/" ? code : 200), body: .bytes([1, 2, 3]))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            let response = try await client.get("/")
            #expect(response.status == code)
            #expect(response.fields["content-length"] == nil)
            #expect(response.fields["transfer-encoding"] == nil)
            #expect(try await client.get("/next").body == [1, 2, 3])
        }
    }

    @Test("A whole large answer goes out as it is")
    func large() async throws {
        let content = (0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }
        try await withServer(TestResponder { _ in ServerResponse(body: .bytes(content)) }) { _, port in
            let client = try TestClient(port: port)
            #expect(try await client.get("/").body == content)
            #expect(try await client.get("/").body.count == content.count)
        }
    }

    @Test("A chunk is asked for only when the one before has been taken")
    func backPressure() async throws {
        let asked = Counter()
        let chunk = [UInt8](repeating: 7, count: 100_000)
        let responder = TestResponder { _ in
            ServerResponse(body: .stream(length: chunk.count * 300) { asked.increment() <= 300 ? chunk : nil })
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port, receiveBuffer: 4_096)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { asked.value > 1 })
            // The kernel's buffers fill, and then nothing more is asked for.
            var before = -1
            while asked.value != before {
                before = asked.value
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(asked.value < 200, "30 MB cannot be in the buffers of the kernel")
            let response = try await client.response()
            #expect(response.body.count == chunk.count * 300)
            #expect(asked.value == 301)
        }
    }

    @Test(
        "A stream that fails, or breaks its promise, ends the connection so that it shows", arguments: [(nil, true), (100, false), (20_000, false)])
    func cut(length: Int?, fails: Bool) async throws {
        try await withServer(Self.streamed([101], length: length, fails: fails)) { server, port in
            let client = try TestClient(port: port)
            await #expect(throws: TestClient.Failure.self) { try await client.get("/") }
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test("A 1.0 stream that fails ends in a reset: an end would look whole")
    func cut10() async throws {
        try await withServer(Self.streamed([101], fails: true)) { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            await #expect(throws: TestClient.Failure.self) { try await client.response() }
        }
    }

    @Test("A client that goes away cancels the task of its request")
    func disconnect() async throws {
        let started = Gate()
        let cancelled = Gate()
        let responder = TestResponder { _ in
            started.open()
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(30)) }
            cancelled.open()
            return ServerResponse()
        }
        try await withServer(responder) { server, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            await client.close()
            await cancelled.wait()
            #expect(await eventually { server.connectionCount == 0 })
        }
    }

    @Test("A client that goes away while it is sent a stream cancels it")
    func disconnectWhileStreaming() async throws {
        let started = Gate()
        let responder = TestResponder { _ in
            ServerResponse(
                body: .stream(length: nil) {
                    started.open()
                    try await Task.sleep(for: .milliseconds(1))
                    return [UInt8](repeating: 0, count: 10_000)
                })
        }
        try await withServer(responder) { server, port in
            let client = try TestClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            await client.close()
            #expect(await eventually { server.connectionCount == 0 })
        }
    }
}
