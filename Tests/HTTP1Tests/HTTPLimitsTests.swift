import HTTP1
import HTTPTypes
import Testing

@Suite("Limits")
struct HTTPLimitsTests {
    private let limits = HTTPLimits()

    private func requestLine(octets: Int) -> String {
        let frame = "GET / HTTP/1.1"
        return "GET /\(String(repeating: "x", count: octets - frame.utf8.count)) HTTP/1.1"
    }

    @Test("RFC 9112 §3: a request line of 8,000 octets is accepted; over the limit it is 414")
    func requestLine() {
        let rest = "\r\nHost: h\r\n\r\n"
        #expect(limits.requestLineOctets >= 8_000)
        #expect(status(requestLine(octets: 8_000) + rest) == 0)
        #expect(status(requestLine(octets: limits.requestLineOctets) + rest) == 0)
        #expect(status(requestLine(octets: limits.requestLineOctets + 1) + rest) == 414)
    }

    @Test("RFC 9112 §3: 414 comes before the end of the line")
    func endlessRequestLine() {
        #expect(status(String(repeating: "x", count: limits.requestLineOctets + 1)) == 0)
        #expect(status(String(repeating: "x", count: limits.requestLineOctets + 2)) == 414)
    }

    @Test("RFC 6585 §5: 100 fields, not 101")
    func fieldCount() {
        #expect(limits.fieldCount == 100)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X: a\r\n", count: 99) + "\r\n") == 0)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X: a\r\n", count: 100) + "\r\n") == 431)
    }

    @Test("RFC 6585 §5: 32 KiB of fields, not one octet more, in one line or many")
    func fieldOctets() {
        #expect(limits.fieldOctets == 32_768)
        let used = "Host: h".utf8.count
        let filler = "X: " + String(repeating: "a", count: limits.fieldOctets - used - 3)
        #expect(status(get(filler)) == 0)
        #expect(status(get(filler + "a")) == 431)
        let half = "X: " + String(repeating: "a", count: limits.fieldOctets / 2 - used - 3)
        let other = "Y: " + String(repeating: "a", count: limits.fieldOctets / 2 - 3)
        #expect(status(get(half, other)) == 0)
        #expect(status(get(half, other + "a")) == 431)
    }

    @Test("RFC 6585 §5: 431 comes before the end of an endless field")
    func endlessField() {
        let text = "GET / HTTP/1.1\r\nX: "
        #expect(status(text + String(repeating: "a", count: limits.fieldOctets - 3 + 1)) == 0)
        #expect(status(text + String(repeating: "a", count: limits.fieldOctets - 3 + 2)) == 431)
    }

    @Test("Limits of one request do not add up over a connection")
    func notCumulative() {
        let filler = "X: " + String(repeating: "a", count: 20_000)
        #expect(parse(get(filler) + get(filler) + get(filler)).requests.count == 3)
        let text = chunked("1;" + String(repeating: "x", count: 4_000) + "\r\na\r\n0\r\n\r\n")
        #expect(parse(text + text).requests.count == 2)
    }

    @Test("A declared body reserves no more than the limit before it comes, and has spare room behind it when it has come")
    func reserve() throws {
        var harness = ParserHarness(maximumBodyBytes: 1 << 40)
        harness.feed(Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000000\r\n\r\n".utf8)[...])
        #expect(harness.outcome.unfinished?.framing == .length(4_000_000_000))
        for (size, pieces) in [(0, 1), (1, 1), (100, 3), (70_000, 7), (3_000_000, 11)] {
            let text = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n".utf8)
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            let whole = text + body
            let cuts = (1..<max(pieces, 2)).map { text.count + size * $0 / max(pieces, 2) }
            let outcome = ParserHarness.run(whole, cuts: cuts, maximumBodyBytes: 1 << 40)
            let received = try #require(outcome.requests.first).body
            #expect(received == body)
            if size > 0 { #expect(received.capacity >= size + limits.bodyPaddingOctets) }
        }
    }
}
