import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Answers that leave at the end of a turn")
struct TurnTests {
    @Test("What the socket has no room for follows when the client reads, in order")
    func fullSocket() async throws {
        // Small enough to be held, and together more than the buffers of both sides.
        let responder = TestResponder { request in
            ServerResponse(body: .bytes(Array((request.head.path ?? "").utf8) + [UInt8](repeating: 7, count: 15_000)))
        }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port, receiveBuffer: 4_096)
            for number in 0..<500 {
                try await client.send("GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
                // So that no request is at hand when the one before is answered.
                try await Task.sleep(for: .milliseconds(1))
            }
            for number in 0..<500 {
                let body = try await client.response().body
                #expect(body == Array("/\(number)".utf8) + [UInt8](repeating: 7, count: 15_000))
            }
            #expect(try await client.get("/x").body.count == 15_002)
        }
    }

    @Test("Clients that ask at once are all answered")
    func manyAtOnce() async throws {
        try await withServer(.echo, configured { $0.eventLoops = 1 }) { _, port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let client = try TestClient(port: port)
                        for turn in 0..<50 { #expect(try await client.get("/\(number)/\(turn)").text == "GET /\(number)/\(turn) ") }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
