import HTTP1
import HTTPTypes
import Testing

@Suite("Field lines")
struct FieldLineTests {
    private func value(_ line: String, _ name: String = "x") throws -> String? {
        parse(get(line)).requests.first?.head.request.headerFields[try #require(HTTPField.Name(name))]
    }

    @Test("RFC 9112 §5.1: whitespace around a value does not belong to it")
    func trimming() throws {
        #expect(try value("X: a") == "a")
        #expect(try value("X:a") == "a")
        #expect(try value("X: \t a \tb\t ") == "a \tb")
        #expect(try value("X:") == "")
        #expect(try value("X: \t") == "")
        #expect(try value("X: a:b") == "a:b")
    }

    @Test("RFC 9110 §5.1: names are case-insensitive tokens, and keep their case")
    func names() throws {
        let fields = try #require(parse(get("x-Some_nAme!: 1", "!#$%&'*+-.^_`|~0: 2")).requests.first).head.request.headerFields
        #expect(fields.map(\.name.rawName) == ["x-Some_nAme!", "!#$%&'*+-.^_`|~0"])
        #expect(fields[try #require(HTTPField.Name("X-SOME_NAME!"))] == "1")
    }

    @Test(
        "RFC 9110 §5.1: a name that is no token is 400",
        arguments: [": a", "X Y: a", "X(: a", "X\u{0}: a", "É: a", "\"X\": a", ":path: /", "X/Y: a"])
    func invalidNames(line: String) {
        #expect(status(get(line)) == 400)
    }

    @Test("RFC 9112 §5: a line without a colon is 400")
    func noColon() {
        #expect(status(get("Something")) == 400)
    }

    @Test("RFC 9112 §5.1: no whitespace before the colon", arguments: ["X : a", "X\t: a", "Content-Length : 1", "Transfer-Encoding : chunked"])
    func whitespaceBeforeColon(line: String) {
        let rejection = parse(get(line)).rejection
        #expect(rejection?.status.code == 400)
        #expect(rejection?.rule == "RFC 9112 §5.1")
    }

    @Test("RFC 9112 §5.2: no folding", arguments: [" folded", "\tfolded", " X: a", " "])
    func folding(line: String) {
        let rejection = parse(get("X: a", line)).rejection
        #expect(rejection?.status.code == 400)
        #expect(rejection?.rule == "RFC 9112 §5.2")
    }

    @Test("RFC 9112 §2.2: no whitespace before the first field")
    func whitespaceFirst() {
        let rejection = parse("GET / HTTP/1.1\r\n Host: h\r\n\r\n").rejection
        #expect(rejection?.status.code == 400)
        #expect(rejection?.rule == "RFC 9112 §2.2")
    }

    @Test("RFC 9110 §5.5: no control but HTAB in a value", arguments: (0...31).filter { $0 != 9 && $0 != 10 } + [127])
    func controls(octet: Int) {
        let line = Array("GET / HTTP/1.1\r\nHost: h\r\nX: a".utf8) + [UInt8(octet)] + Array("b\r\n\r\n".utf8)
        #expect(status(line) == 400)
    }

    @Test("RFC 9112 §2.2: a bare LF or CR in the fields is 400")
    func bareLineEnds() {
        #expect(status("GET / HTTP/1.1\r\nHost: h\n\r\n") == 400)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\n\n") == 400)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n") == 400)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\r\n\r\n") == 400)
    }

    @Test("RFC 9110 §5.5: octets above 127 are opaque data, valid UTF-8 or not")
    func opaque() throws {
        #expect(try value("X: é") == "é")
        let octets = Array("GET / HTTP/1.1\r\nHost: h\r\nX: ".utf8) + [0xFF, 0x80] + Array("\r\n\r\n".utf8)
        let field = try #require(ParserHarness.run(octets).requests.first?.head.request.headerFields.first)
        #expect(unsafe field.withUnsafeBytesOfValue { unsafe Array($0) } == [0xFF, 0x80])
    }

    @Test("A no-break space is not whitespace here")
    func noBreakSpace() throws {
        #expect(try value("X: \u{a0}a\u{85}") == "\u{a0}a\u{85}")
    }
}
