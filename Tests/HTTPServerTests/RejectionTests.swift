import HTTP1
import HTTPServer
import HTTPTypes
import Testing

@Suite("Refused messages")
struct RejectionTests {
    @Test(
        "A message that breaks a rule is answered, and the connection closes",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\nHost: h\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
            ("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501), ("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
            ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505), ("GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 421),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417), ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413),
            ("GET /\(String(repeating: "x", count: 9_000)) HTTP/1.1\r\nHost: h\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: h\r\n\(String(repeating: "X: a\r\n", count: 100))\r\n", 431),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
            ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n", 400),
        ])
    func refused(message: String, status: Int) async throws {
        try await withServer { _, port in
            let client = try TestClient(port: port)
            try await client.send("GET /before HTTP/1.1\r\nHost: h\r\n\r\n" + message + "GET /after HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.response().text == "GET /before ")
            let response = try await client.response()
            #expect(response.status == status)
            #expect(response.fields["connection"] == "close")
            #expect(response.text.hasPrefix("RFC "))
            #expect(try await client.hasEnded())
        }
    }

    @Test("A refused HEAD has no content")
    func head() async throws {
        let responder = TestResponder(admission: { _ in .accept(maximumBodyBytes: 1) }, respond: { _ in ServerResponse() })
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            try await client.send("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n")
            #expect(try await client.response(toHead: true).status == 413)
            #expect(try await client.hasEnded())
        }
    }

    @Test("An answer with a status that is not final becomes 500")
    func badStatus() async throws {
        let responder = TestResponder { _ in ServerResponse(status: .init(code: 101), body: .bytes([1, 2, 3])) }
        try await withServer(responder) { _, port in
            let client = try TestClient(port: port)
            let response = try await client.get("/")
            #expect(response.status == 500)
            #expect(response.body == [])
            #expect(try await client.hasEnded())
        }
    }
}
