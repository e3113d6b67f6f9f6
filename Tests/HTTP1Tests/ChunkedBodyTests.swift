import HTTP1
import HTTPTypes
import Testing

@Suite("Chunked bodies")
struct ChunkedBodyTests {
    private func body(_ text: String) -> String? {
        parse(chunked(text)).requests.first.map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test("RFC 9112 §7.1: chunks are joined")
    func joined() {
        #expect(body("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n") == "hello, world")
        #expect(body("0\r\n\r\n") == "")
        #expect(body("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n") == "01234567890123456789")
        #expect(body("000\r\n\r\n") == "")
        #expect(body("005\r\nhello\r\n0\r\n\r\n") == "hello")
    }

    @Test("RFC 9112 §7.1: the next request begins behind the last chunk")
    func pipelined() {
        let outcome = parse(chunked("3\r\nabc\r\n0\r\n\r\n") + get(target: "/next"))
        #expect(outcome.requests.map(\.head.request.path) == ["/", "/next"])
        #expect(outcome.rejection == nil)
    }

    @Test(
        "RFC 9112 §7.1: a size is hexadecimal digits and nothing else",
        arguments: ["", "+5", "-5", "-0", "0x5", "5 ", " 5", "\t5", "g", "5g", "5h", "0x", ";a", "5 a", "٥", "5\u{0}", "5,"])
    func invalidSizes(size: String) {
        #expect(status(chunked("\(size)\r\nhello\r\n0\r\n\r\n")) == 400)
    }

    @Test("RFC 9112 §7.1: a size has 15 digits at most, whatever they are worth")
    func digits() {
        #expect(body("000000000000005\r\nhello\r\n0\r\n\r\n") == "hello")
        #expect(status(chunked("0000000000000005\r\nhello\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("fffffffffffffff\r\n")) == 413)
        #expect(status(chunked("ffffffffffffffff\r\n")) == 400)
        #expect(status(chunked("10000000000000005\r\n")) == 400)
    }

    @Test("RFC 9112 §7.1 with erratum 7633: lines end in CRLF, data too")
    func lineEnds() {
        #expect(status(chunked("5\nhello\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello\n0\r\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello\r0\r\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello0\r\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello!\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("4\r\nhello\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello\r\n0\n\r\n")) == 400)
        #expect(status(chunked("5\r\nhello\r\n0\r\n\n")) == 400)
        #expect(status(chunked("5\r\r\nhello\r\n0\r\n\r\n")) == 400)
    }

    @Test("RFC 9112 §7.1.1: extensions are ignored", arguments: [";a", ";a=b", ";a=\"b;c\"", " ; a = b", "\t;a", ";a;b;c=d", ";a ;b", ";a=\"\\\"\""])
    func extensions(text: String) {
        #expect(body("5\(text)\r\nhello\r\n0\(text)\r\n\r\n") == "hello")
    }

    @Test(
        "RFC 9112 §7.1.1: an extension is a name, with a value or without",
        arguments: [
            ";", "; ", ";a;", ";=b", ";a=", ";a=b c", ";a b", ";a ", ";a=\"b", ";a=b\"c", ";a}b", ";é", ";a=é", ";a=\"é\"", ";a=\"\\", ";a\u{0}",
            ";a\u{7f}", ";\r", ";a\rb", ";\u{1b}", " \u{b};a",
        ])
    func extensionControls(text: String) {
        #expect(status(chunked("5\(text)\r\nhello\r\n0\r\n\r\n")) == 400)
    }

    @Test("RFC 9112 §7.1.1: extensions of a request are 4 KiB at most, in sum")
    func extensionLimit() {
        let limit = HTTPLimits().chunkExtensionOctets
        let whole = ";" + String(repeating: "x", count: limit - 1)
        #expect(body("1\(whole)\r\na\r\n0\r\n\r\n") == "a")
        #expect(status(chunked("1\(whole)x\r\na\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("000000000000001\(whole)x\r\na\r\n0\r\n\r\n")) == 400)
        #expect(status(chunked("1\(whole)\r\na\r\n0;\r\n\r\n")) == 400)
        let half = ";" + String(repeating: "x", count: limit / 2 - 1)
        #expect(body("1\(half)\r\na\r\n0\(half)\r\n\r\n") == "a")
        #expect(status(chunked("1\(half)\r\na\r\n0\(half)x\r\n\r\n")) == 400)
    }

    @Test("65,536 chunks at most")
    func chunkLimit() {
        let limit = HTTPLimits().chunkCount
        #expect(limit == 65_536)
        let whole = String(repeating: "1\r\na\r\n", count: limit)
        #expect(body(whole + "0\r\n\r\n")?.utf8.count == limit)
        #expect(status(chunked(whole + "1\r\na\r\n0\r\n\r\n")) == 400)
    }

    @Test("RFC 9110 §15.5.14: the limit of the body counts all chunks, and is judged before their data")
    func bodyLimit() {
        let text = chunked("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")
        #expect(status(text, maximumBodyBytes: 10) == 0)
        #expect(status(text, maximumBodyBytes: 9) == 413)
        #expect(status(chunked("b\r\n"), maximumBodyBytes: 10) == 413)
    }

    @Test("RFC 9112 §7.1.2: trailers are read and dropped")
    func trailers() {
        let outcome = parse(chunked("1\r\na\r\n0\r\nX: 1\r\nY: 2\r\n\r\n"))
        #expect(outcome.requests.first?.body == [0x61])
        #expect(outcome.requests.first?.head.request.headerFields.count == 1)
    }

    @Test(
        "RFC 9110 §6.5.1: fields that frame or route are no trailers",
        arguments: ["Content-Length: 5", "transfer-encoding: chunked", "Host: h", "Connection: close", "Expect: 100-continue", "Authorization: x"])
    func framingTrailers(line: String) {
        #expect(status(chunked("0\r\nX: 1\r\n\(line)\r\n\r\n")) == 400)
    }

    @Test("RFC 9112 §5: trailers obey the rules of fields", arguments: ["X : a", " X: a", "X: a\u{0}", "X", ": a"])
    func invalidTrailers(line: String) {
        #expect(status(chunked("0\r\n\(line)\r\n\r\n")) == 400)
    }

    @Test("RFC 6585 §5: trailers are bounded like fields")
    func trailerLimits() {
        let limits = HTTPLimits()
        #expect(status(chunked("0\r\n" + String(repeating: "X: a\r\n", count: limits.fieldCount) + "\r\n")) == 0)
        #expect(status(chunked("0\r\n" + String(repeating: "X: a\r\n", count: limits.fieldCount + 1) + "\r\n")) == 431)
        let long = "X:" + String(repeating: "a", count: limits.fieldOctets - 2)
        #expect(status(chunked("0\r\n\(long)\r\n\r\n")) == 0)
        #expect(status(chunked("0\r\n\(long)a\r\n\r\n")) == 431)
    }
}
