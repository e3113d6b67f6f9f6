import HTTP1
import HTTPTypes
import Testing

@Suite("Body framing")
struct BodyFramingTests {
    private func post(_ fields: String..., version: String = "HTTP/1.1") -> Outcome {
        parse("POST / \(version)\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
    }

    @Test("RFC 9112 §6.3: without either field there is no body")
    func none() {
        #expect(post().requests.first?.head.framing == BodyFraming.none)
        #expect(post("Content-Length: 0").requests.first?.head.framing == BodyFraming.none)
        #expect(post().requests.first?.body == [])
    }

    @Test("RFC 9110 §8.6: Content-Length in decimal digits")
    func lengths() {
        #expect(post("Content-Length: 5").unfinished?.framing == .length(5))
        #expect(post("Content-Length:  007 ").unfinished?.framing == .length(7))
        #expect(parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").requests.first?.body == Array("hello".utf8))
    }

    @Test(
        "RFC 9110 §8.6: anything else is 400",
        arguments: ["", "+5", "-5", "-0", "5 5", "5,5", "5, 5", "0x5", "5.0", "5e1", "five", "٥", "5;", "5\t6", "_5", "1_0"])
    func invalidLengths(value: String) {
        #expect(post("Content-Length: \(value)").rejection?.status.code == 400)
    }

    @Test("RFC 9112 §6.3: Content-Length once only, equal or not")
    func repeatedLength() {
        #expect(post("Content-Length: 5", "Content-Length: 5").rejection?.status.code == 400)
        #expect(post("Content-Length: 5", "content-length: 6").rejection?.status.code == 400)
        #expect(post("Content-Length: 0", "Content-Length: 0").rejection?.status.code == 400)
    }

    @Test(
        "RFC 9110 §8.6: a length that overflows is too large, not small",
        arguments: ["9223372036854775808", "18446744073709551616", "18446744073709551621", String(repeating: "9", count: 400)])
    func overflow(value: String) {
        #expect(post("Content-Length: \(value)").rejection?.status.code == 413)
    }

    @Test("RFC 9110 §15.5.14: above the limit of the resource is 413 before the body is read")
    func tooLarge() {
        let text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"
        #expect(status(text, maximumBodyBytes: 10) == 413)
        #expect(status(text, maximumBodyBytes: 11) == 0)
        #expect(post("Content-Length: 9223372036854775807").rejection?.status.code == 413)
    }

    @Test("RFC 9112 §6.1: chunked, in any case", arguments: ["chunked", "Chunked", "CHUNKED", " chunked\t"])
    func chunkedCoding(value: String) {
        #expect(post("Transfer-Encoding: \(value)").unfinished?.framing == .chunked)
    }

    @Test(
        "RFC 9112 §6.1: a coding that is not understood is 501",
        arguments: ["gzip", "gzip, chunked", "identity", "xchunked", "chunkedx", "chunked;q=1", "\"chunked\"", "chun\u{212A}ed", "\u{a0}chunked"])
    func unknownCoding(value: String) {
        #expect(post("Transfer-Encoding: \(value)").rejection?.status.code == 501)
    }

    @Test(
        "RFC 9112 §6.1, §6.3: chunked is the last and applied once",
        arguments: ["chunked, chunked", "chunked, gzip", "chunked,identity", "chunked,", ",chunked", ""])
    func misplacedChunked(value: String) {
        #expect(post("Transfer-Encoding: \(value)").rejection?.status.code == 400)
    }

    @Test("RFC 9112 §6.1: two lines are one list")
    func repeatedCoding() {
        #expect(post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked").rejection?.status.code == 400)
        #expect(post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked").rejection?.status.code == 501)
    }

    @Test("RFC 9112 §6.3: both fields in one message are 400, in either order")
    func both() {
        #expect(post("Content-Length: 5", "Transfer-Encoding: chunked").rejection?.status.code == 400)
        #expect(post("Transfer-Encoding: chunked", "Content-Length: 5").rejection?.status.code == 400)
        #expect(post("Transfer-Encoding: identity", "Content-Length: 5").rejection?.status.code == 400)
    }

    @Test("RFC 9112 §6.1: no transfer coding in HTTP/1.0")
    func http10() {
        #expect(post("Transfer-Encoding: chunked", version: "HTTP/1.0").rejection?.status.code == 400)
        #expect(post("Content-Length: 5", version: "HTTP/1.0").unfinished?.framing == .length(5))
    }
}
