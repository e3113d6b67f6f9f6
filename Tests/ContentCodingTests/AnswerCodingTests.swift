import ContentCoding
import HTTP1
import HTTPTypes
import Testing

@Suite("Coding of answers")
struct AnswerCodingTests {
    private let text = digits(5_000)

    private func answer(_ accept: String?, _ fields: HTTPFields = [:], type: String = "application/json", size: Int = 5_000) async -> ServerResponse {
        let content = Array(text[..<size])
        let within = Within { _ in ServerResponse(headerFields: [.contentType: type, .eTag: "\"a\""], body: .bytes(content)) }
        var fields = fields
        if let accept { fields[.acceptEncoding] = accept }
        return await within.coding().respond(to: request(fields))
    }

    @Test(
        "RFC 9110 §12.5.3: gzip where it is accepted and not less than the content as it is",
        arguments: [
            "gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip, deflate, br, zstd", "gzip;q=0.001", "gzip; q=0.5 ", "gzip;Q=1.000", "*", "*;q=0.1",
            "identity;q=0.5, gzip", "identity;q=0.5, *;q=0.6", "identity, gzip", "br;q=1, gzip;q=0.2", "gzip;q=0.5, *;q=0",
            "identity;q=0, gzip;q=0.1",
        ])
    func coded(accept: String) async throws {
        let response = await answer(accept)
        #expect(response.isGzip)
        #expect(Gzip.unpack(try await response.content()) == text)
        #expect(response.headerFields[.vary] == "Accept-Encoding")
        #expect(response.headerFields[.eTag] == "\"a-gzip\"")
    }

    @Test(
        "RFC 9110 §12.5.3: as it is where gzip is not accepted, or less, or the field cannot be read",
        arguments: [
            nil, "", "identity", "gzip;q=0", "gzip;q=0.0, *", "*;q=0, identity", "br", "gzip;q=0.5, identity", "gzip;q=0.5, *;q=0.6", "gzip;q=2",
            "gzip;q=-1", "gzip;q=0.0001", "gzip;q=1.001", "gzip;q=nan", "gzip;q=.5", "gzip;q=", "gzip;level=9", "gzip;q=1;x=y", "gz ip", "g\u{17A}ip",
        ] as [String?])
    func uncoded(accept: String?) async throws {
        let response = await answer(accept)
        #expect(!response.isGzip)
        #expect(try await response.content() == text)
        #expect(response.headerFields[.vary] == "Accept-Encoding", "what is chosen depends on the field all the same")
        #expect(response.headerFields[.eTag] == "\"a\"")
    }

    @Test(
        "RFC 9110 §15.5.7: 406 says what there is, when both are refused",
        arguments: ["identity;q=0", "*;q=0", "gzip;q=0, identity;q=0", "br, *;q=0"])
    func neither(accept: String) throws {
        var request = request([.acceptEncoding: accept])
        guard case .answer(let response) = Within.echo.coding().admit(&request) else {
            Issue.record("\(accept) was accepted")
            return
        }
        #expect(response.status == .notAcceptable)
    }

    @Test(
        "Small content, and content that is compact already, go as they are",
        arguments: [("application/json", 1_023), ("application/octet-stream", 5_000), ("application/x-npy", 5_000), ("application/x-npz", 5_000)])
    func notWorthIt(type: String, size: Int) async {
        let response = await answer("gzip", type: type, size: size)
        #expect(!response.isGzip)
        #expect(response.headerFields[.vary] == nil)
    }

    @Test("… unless nothing but gzip is accepted", arguments: [("application/json", 1), ("application/x-npy", 5_000)])
    func nothingElse(type: String, size: Int) async throws {
        let response = await answer("gzip, identity;q=0", type: type, size: size)
        #expect(response.isGzip)
        #expect(Gzip.unpack(try await response.content()) == Array(text[..<size]))
    }

    @Test("The smallest coded content", arguments: ["application/json", "application/problem+json; charset=utf-8", "application/yaml", "Text/Plain"])
    func smallest(type: String) async {
        #expect(await answer("gzip", type: type, size: 1_024).isGzip)
    }

    @Test("Events are never held back by gzip", arguments: ["gzip", "gzip, identity;q=0"])
    func events(accept: String) async {
        #expect(await !answer(accept, type: "text/event-stream").isGzip)
    }

    @Test("RFC 9110 §14.2: a range is one of the content as it is")
    func ranges() async {
        #expect(await !answer("gzip", [.range: "bytes=0-9"]).isGzip)
    }

    @Test("RFC 9111 §5.2.2.6: no-transform, and content that has a coding, are left alone")
    func leftAlone() async {
        for field in [HTTPField(name: .cacheControl, value: "no-transform"), HTTPField(name: .contentEncoding, value: "br")] {
            let within = Within { [text] _ in
                ServerResponse(headerFields: HTTPFields([field, HTTPField(name: .contentType, value: "text/plain")]), body: .bytes(text))
            }
            let response = await within.coding().respond(to: request([.acceptEncoding: "gzip"]))
            #expect(!response.isGzip)
        }
    }

    @Test("RFC 9110 §12.5.5: Vary is added to, once")
    func vary() async {
        for (before, after) in [("Origin", "Origin, Accept-Encoding"), ("accept-encoding", "accept-encoding"), ("*", "*")] {
            let within = Within { [text] _ in ServerResponse(headerFields: [.contentType: "text/plain", .vary: before], body: .bytes(text)) }
            #expect(await within.coding().respond(to: request([.acceptEncoding: "gzip"])).headerFields[.vary] == after)
        }
    }

    @Test("RFC 9110 §13.1.2: the tag of the gzip form is that of the same thing, and comes back with 304")
    func conditions() async {
        let within = Within { request in
            let matches = request.head.headerFields[.ifNoneMatch]?.split(separator: ", ").contains("\"a\"") == true
            return ServerResponse(status: matches ? .notModified : .ok, headerFields: [.eTag: "\"a\""])
        }
        for (condition, status, tag) in [
            ("\"a-gzip\"", 304, "\"a-gzip\""), ("\"a\"", 304, "\"a\""), ("\"b-gzip\"", 200, "\"a\""), ("\"b\", \"a-gzip\"", 304, "\"a-gzip\""),
        ] {
            let response = await within.coding().respond(to: request([.ifNoneMatch: condition]))
            #expect(response.status.code == status)
            #expect(response.headerFields[.eTag] == tag)
            if status == 304 { #expect(response.headerFields[.vary] == "Accept-Encoding") }
        }
    }

    @Test("Statuses without content are left alone", arguments: [204, 205, 206])
    func withoutContent(status: Int) async {
        let within = Within { _ in ServerResponse(status: .init(code: status), headerFields: [.contentType: "text/plain"]) }
        #expect(await !within.coding().respond(to: request([.acceptEncoding: "gzip, identity;q=0"])).isGzip)
    }

    @Test("Streams are coded as they go", arguments: [[], [0], [1], [5, 0, 7], [100_000, 1, 300_000], Array(repeating: 10, count: 1_000)])
    func streams(pieces: [Int]) async throws {
        let content = digits(pieces.reduce(0, +))
        let within = Within { _ in
            let source = Source(content: content, pieces: pieces)
            return ServerResponse(headerFields: [.contentType: "application/json"], body: .stream(length: nil) { await source.next() })
        }
        let response = await within.coding().respond(to: request([.acceptEncoding: "gzip"]))
        #expect(response.isGzip)
        #expect(Gzip.unpack(try await response.content()) == content)
    }

    @Test("Long content leaves before all of it is coded, and comes out the same", arguments: [1_048_576, 1_048_577, 3_000_001])
    func long(size: Int) async throws {
        let content = digits(size)
        let within = Within { _ in ServerResponse(headerFields: [.contentType: "application/json"], body: .bytes(content)) }
        let response = await within.coding().respond(to: request([.acceptEncoding: "gzip"]))
        if case .bytes(let bytes) = response.body { #expect(size <= 1_048_576 && bytes.count < size) }
        #expect(Gzip.unpack(try await response.content()) == content)
    }

    @Test("A stream that fails fails coded too")
    func failure() async throws {
        let within = Within { _ in
            ServerResponse(headerFields: [.contentType: "application/json"], body: .stream(length: nil) { throw CancellationError() })
        }
        let response = await within.coding().respond(to: request([.acceptEncoding: "gzip"]))
        await #expect(throws: CancellationError.self) { try await response.content() }
    }

    @Test("Off, nothing is coded")
    func off() async throws {
        let within = Within { [text] _ in ServerResponse(headerFields: [.contentType: "text/plain"], body: .bytes(text)) }
        let response = await within.coding { $0.isEnabled = false }.respond(to: request([.acceptEncoding: "gzip"]))
        #expect(!response.isGzip && response.headerFields[.vary] == nil)
    }
}

private actor Source {
    var content: ArraySlice<UInt8>
    var pieces: [Int]

    init(content: [UInt8], pieces: [Int]) {
        self.content = content[...]
        self.pieces = pieces
    }

    func next() -> [UInt8]? {
        guard !pieces.isEmpty else { return nil }
        let size = pieces.removeFirst()
        defer { content = content.dropFirst(size) }
        return Array(content.prefix(size))
    }
}
