import HTTP1
import HTTPTypes
import Testing

@testable import HTTP1

@Suite("Response framing")
struct ResponseFramingTests {
    private func framing(
        _ code: Int = 200, _ body: ResponseBody = .bytes([1, 2]), method: HTTPRequest.Method? = .get, version: HTTPVersion = .http11,
        keepsAlive: Bool = true
    ) -> ResponseFraming {
        ResponseFraming(
            ServerResponse(status: .init(code: code), body: body), ResponseContext(method: method, version: version, keepsAlive: keepsAlive))
    }

    private var stream: ResponseBody { .stream(length: nil) { nil } }

    @Test("RFC 9112 §6.3: a known length is said, an unknown one is chunked, or ends with the connection for HTTP/1.0")
    func lengths() {
        #expect(framing().length == .known(2))
        #expect(framing(200, .stream(length: 7) { nil }).length == .known(7))
        #expect(framing(200, stream).length == .chunked)
        #expect(framing(200, stream).closes == false)
        #expect(framing(200, stream, version: .http10).length == .untilClose)
        #expect(framing(200, stream, version: .http10).closes)
    }

    @Test("RFC 9110 §9.3.2: HEAD has GET's fields and no content")
    func head() {
        #expect(framing(method: .head).length == .known(2))
        #expect(!framing(method: .head).sendsContent)
        #expect(framing(200, stream, method: .head).length == .chunked)
        #expect(!framing(200, stream, method: .head, version: .http10).closes)
    }

    @Test("RFC 9110 §8.6: 204 and 304 have no content and no length", arguments: [204, 304])
    func noContent(code: Int) {
        #expect(framing(code).length == .absent)
        #expect(!framing(code).sendsContent)
        #expect(!framing(code, stream, version: .http10).closes)
    }

    @Test("RFC 9110 §15.3.6: 205 says that there is no content")
    func resetContent() {
        #expect(framing(205).length == .known(0))
        #expect(!framing(205).sendsContent)
    }

    @Test("RFC 9112 §9.6: a close is kept")
    func closes() {
        #expect(framing(keepsAlive: false).closes)
        #expect(!framing().closes)
    }
}

@Suite("Response head")
struct ResponseHeadEncoderTests {
    private func text(
        _ response: ServerResponse, closes: Bool = false, version: HTTPVersion = .http11, name: String? = "ntk-server"
    ) -> String? {
        let framing = ResponseFraming(response, ResponseContext(method: .get, version: version, keepsAlive: !closes))
        var out: [UInt8] = []
        let date = IMFFixdate.format(secondsSince1970: 784_111_777)
        guard ResponseHeadEncoder(serverName: name).encode(response, framing: framing, version: version, date: date, into: &out) else { return nil }
        return String(decoding: out, as: UTF8.self)
    }

    @Test("RFC 9112 §4: status line, fields, empty line")
    func whole() {
        let response = ServerResponse(headerFields: [.contentType: "text/plain"], body: .bytes([1, 2, 3]))
        #expect(
            text(response) == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: ntk-server\r\nContent-Length: 3\r\n"
                + "Content-Type: text/plain\r\n\r\n")
    }

    @Test("RFC 9112 §2.3: the version is the server's own, whatever the client's")
    func version() {
        #expect(text(ServerResponse(), version: .http10)?.hasPrefix("HTTP/1.1 200") == true)
    }

    @Test("RFC 9112 §9.3: the connection's fate is said where it is not the default")
    func connection() {
        #expect(text(ServerResponse())?.contains("Connection") == false)
        #expect(text(ServerResponse(), closes: true)?.contains("\r\nConnection: close\r\n") == true)
        #expect(text(ServerResponse(), version: .http10)?.contains("\r\nConnection: keep-alive\r\n") == true)
    }

    @Test("RFC 9112 §6.1: chunked, and no length beside it")
    func chunkedCoding() {
        let head = text(ServerResponse(body: .stream(length: nil) { nil }))
        #expect(head?.contains("\r\nTransfer-Encoding: chunked\r\n") == true)
        #expect(head?.contains("Content-Length") == false)
    }

    @Test("A handler cannot contradict the server's fields")
    func owned() throws {
        let response = ServerResponse(headerFields: [
            .contentLength: "99", .transferEncoding: "gzip", .connection: "upgrade", .date: "x", .server: "y", .trailer: "z",
        ])
        let head = try #require(text(response))
        #expect(head.components("\r\n").filter { !$0.isEmpty }.count == 4)
        #expect(head.contains("Content-Length: 0\r\n"))
    }

    @Test("RFC 9110 §15: a status that is not final is not an answer", arguments: [0, 100, 101, 199, 600, 999])
    func status(code: Int) {
        #expect(text(ServerResponse(status: .init(code: code))) == nil)
    }

    @Test("RFC 9112 §4: a status without a phrase keeps its space")
    func noPhrase() {
        #expect(text(ServerResponse(status: 299))?.hasPrefix("HTTP/1.1 299 \r\n") == true)
    }

    @Test("RFC 9110 §5.5: CR, LF and NUL never leave in a value", arguments: ["a\rb", "a\nb", "a\r\nX: y", "a\u{0}b"])
    func injection(value: String) throws {
        let isClean = ResponseHeadEncoder.isClean(value.utf8.span)
        #expect(!isClean)
        let head = try #require(text(ServerResponse(headerFields: [.location: value])))
        #expect(head.components("\r\n").count == 7, "the value stays in its line")
    }

    @Test("A server name that is no field value is left out")
    func serverName() {
        #expect(text(ServerResponse(), name: nil)?.contains("Server") == false)
        #expect(text(ServerResponse(), name: "a\r\nX: y")?.contains("Server") == false)
    }

    @Test("Decimal numbers", arguments: [0, 7, 10, 255, 1_000_000, Int.max])
    func decimals(number: Int) {
        var out: [UInt8] = [1]
        ResponseHeadEncoder.appendDecimal(number, to: &out)
        #expect(out == [1] + Array(String(number).utf8))
    }
}

@Suite("Chunk frames")
struct ChunkEncoderTests {
    @Test("RFC 9112 §7.1: sizes in hexadecimal without leading zeros", arguments: [1, 9, 10, 15, 16, 255, 256, 4_095, 65_536, 123_456_789, 1 << 40])
    func sizes(size: Int) {
        var out: [UInt8] = []
        ChunkEncoder.appendSizeLine(size, to: &out)
        #expect(out == Array((String(size, radix: 16) + "\r\n").utf8))
    }

    @Test("What is written is read again")
    func roundTrip() {
        var body: [UInt8] = []
        for size in [1, 15, 16, 300] {
            ChunkEncoder.appendSizeLine(size, to: &body)
            body += [UInt8](repeating: 0x61, count: size) + ChunkEncoder.end
        }
        let text = chunked(String(decoding: body + ChunkEncoder.last, as: UTF8.self))
        #expect(parse(text).requests.first?.body.count == 332)
    }
}

extension String {
    func components(_ separator: String) -> [String] {
        var parts: [String] = [""]
        var octets = Array(utf8)[...]
        let mark = Array(separator.utf8)
        var current: [UInt8] = []
        parts = []
        while !octets.isEmpty {
            if octets.starts(with: mark) {
                parts.append(String(decoding: current, as: UTF8.self))
                current = []
                octets = octets.dropFirst(mark.count)
            } else {
                current.append(octets.removeFirst())
            }
        }
        return parts + [String(decoding: current, as: UTF8.self)]
    }
}
