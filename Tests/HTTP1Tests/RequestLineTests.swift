import HTTP1
import HTTPTypes
import Testing

@Suite("Request line")
struct RequestLineTests {
    @Test("RFC 9112 §3: method, target, version")
    func parts() throws {
        let outcome = parse("POST /a/b?c=d HTTP/1.1\r\nHost: example.org\r\n\r\n")
        let head = try #require(outcome.requests.first).head
        #expect(head.request.method == .post)
        #expect(head.request.path == "/a/b?c=d")
        #expect(head.request.authority == "example.org")
        #expect(head.request.scheme == "http")
        #expect(head.version == .http11)
    }

    @Test(
        "RFC 9112 §3: exactly one space on either side of the target",
        arguments: [
            "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/\tHTTP/1.1", "GET /a b HTTP/1.1", "GET", "GET /",
            "GET  HTTP/1.1",
        ])
    func spaces(line: String) {
        #expect(status(line + "\r\nHost: h\r\n\r\n") == 400)
    }

    @Test("RFC 9112 §2.2: one or two empty lines before a request line, not three", arguments: [(0, 0), (1, 0), (2, 0), (3, 400)])
    func emptyLines(count: Int, expected: Int) {
        let text = String(repeating: "\r\n", count: count) + get()
        #expect(status(text) == expected)
        #expect(parse(text + text).requests.count == (expected == 0 ? 2 : 0))
    }

    @Test("RFC 9112 §2.2: a bare LF does not end a line")
    func bareLineFeed() {
        #expect(status("GET / HTTP/1.1\nHost: h\r\n\r\n") == 400)
        #expect(status("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == 400)
    }

    @Test("RFC 9112 §2.2: a bare CR is not a space or a line end")
    func bareReturn() {
        #expect(status("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n") == 400)
        #expect(status("GET\r/ HTTP/1.1\r\nHost: h\r\n\r\n") == 400)
    }

    @Test("RFC 9112 §3.1: the method is a token", arguments: ["G(T", "G\u{0}T", "GÉT", ""])
    func methodToken(method: String) {
        #expect(status("\(method) / HTTP/1.1\r\nHost: h\r\n\r\n") == 400)
    }

    @Test(
        "RFC 9110 §9.1: methods are case-sensitive, and an unknown or over-long one is 501",
        arguments: ["get", "BREW", "GETS", "PROPFIND", "TRACE", "CONNECT", String(repeating: "X", count: 8_000)])
    func unknownMethod(method: String) {
        #expect(status("\(method) / HTTP/1.1\r\nHost: h\r\n\r\n") == 501)
    }

    @Test("RFC 9110 §9.3: the known methods", arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    func knownMethod(method: String) {
        #expect(parse("\(method) / HTTP/1.1\r\nHost: h\r\n\r\n").requests.first?.head.request.method.rawValue == method)
    }

    @Test("RFC 9112 §2.3: a higher minor version is 1.1")
    func minorVersion() {
        #expect(parse(get(version: "HTTP/1.2")).requests.first?.head.version == .http11)
        #expect(parse(get(version: "HTTP/1.9")).requests.first?.head.version == .http11)
        #expect(parse(get(version: "HTTP/1.0")).requests.first?.head.version == .http10)
    }

    @Test("RFC 9110 §15.6.6: another major version is 505", arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/3.0"])
    func majorVersion(version: String) {
        #expect(status(get(version: version)) == 505)
    }

    @Test("RFC 9110 §15.6.6: the preface of HTTP/2 is 505")
    func preface() {
        #expect(status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505)
    }

    @Test(
        "RFC 9112 §2.3: the version is HTTP/d.d, in this case",
        arguments: [
            "http/1.1", "HTTP/1", "HTTP/1.", "HTTP/11", "HTTP/1.10", "HTTP/01.1", "HTTP/1.1x", "HTTP/+1.1", "HTTP 1.1", "HTTP/1,1",
            "HTTP/a.1", "",
        ])
    func versionForm(version: String) {
        #expect(status(get(version: version)) == 400)
    }
}
