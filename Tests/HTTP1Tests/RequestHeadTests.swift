import HTTP1
import HTTPTypes
import Testing

@Suite("Header section")
struct RequestHeadTests {
    private func head(_ fields: String..., version: String = "HTTP/1.1") -> RequestHead? {
        let outcome = parse("GET / \(version)\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return outcome.requests.first?.head ?? outcome.unfinished
    }

    @Test("RFC 9112 §9.3: HTTP/1.1 goes on unless a close is announced")
    func persistence11() {
        #expect(head()?.keepsAlive == true)
        #expect(head("Connection: close")?.keepsAlive == false)
        #expect(head("Connection: Close")?.keepsAlive == false)
        #expect(head("Connection: x, close , y")?.keepsAlive == false)
        #expect(head("Connection: x", "Connection: close")?.keepsAlive == false)
        #expect(head("Connection: closed")?.keepsAlive == true)
    }

    @Test("RFC 9112 §9.3: HTTP/1.0 closes unless it asks to go on")
    func persistence10() {
        #expect(head(version: "HTTP/1.0")?.keepsAlive == false)
        #expect(head("Connection: keep-alive", version: "HTTP/1.0")?.keepsAlive == true)
        #expect(head("Connection: Keep-Alive", version: "HTTP/1.0")?.keepsAlive == true)
        #expect(head("Connection: keep-alive, close", version: "HTTP/1.0")?.keepsAlive == false)
    }

    @Test("RFC 9110 §10.1.1: 100-continue, in any case")
    func expectation() {
        #expect(head()?.expectsContinue == false)
        #expect(head("Expect: 100-continue")?.expectsContinue == true)
        #expect(head("Expect: 100-Continue")?.expectsContinue == true)
    }

    @Test("RFC 9110 §10.1.1: another expectation is 417", arguments: ["200-ok", "100-continue, x", "x", "", "100-continued"])
    func unknownExpectation(value: String) {
        #expect(status(get("Expect: \(value)")) == 417)
    }

    @Test("RFC 9110 §10.1.1: HTTP/1.0 expects nothing")
    func expectation10() {
        #expect(head("Expect: 100-continue", version: "HTTP/1.0")?.expectsContinue == false)
        #expect(head("Expect: x", version: "HTTP/1.0")?.expectsContinue == false)
    }

    @Test("RFC 9110 §5.3: nothing is said before the header section has come as a whole")
    func whole() {
        let outcome = parse("GET / HTTP/1.1\r\nHost: h\r\n")
        #expect(outcome == Outcome())
    }

    @Test("RFC 9110 §5.3: fields keep their order, and repeated ones stay apart")
    func order() throws {
        let fields = try #require(head("A: 1", "B: 2", "A: 3")).request.headerFields
        #expect(fields.map { "\($0.name.rawName)=\($0.value)" } == ["A=1", "B=2", "A=3"])
    }
}
