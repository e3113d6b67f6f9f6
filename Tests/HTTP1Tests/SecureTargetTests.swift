import HTTP1
import HTTPTypes
import Testing

@Suite("Targets through TLS")
struct SecureTargetTests {
    private func parse(_ text: String, isSecure: Bool) throws(HTTPRejection) -> RequestHead? {
        var parser = HTTPRequestParser(isSecure: isSecure)
        var offset = 0
        guard case .head(let head)? = try parser.parse(Array(text.utf8).span, at: &offset) else { return nil }
        return head
    }

    @Test("RFC 9110 §7.4: an absolute target has the scheme of its connection, else it is misdirected", arguments: [false, true])
    func absolute(isSecure: Bool) throws {
        let (own, other) = isSecure ? ("https", "http") : ("http", "https")
        let head = try #require(try parse("GET \(own.uppercased())://a.example:8/b?c HTTP/1.1\r\nHost: d\r\n\r\n", isSecure: isSecure))
        #expect(head.request.scheme == own)
        #expect(head.request.authority == "a.example:8")
        #expect(head.request.path == "/b?c")
        #expect {
            try parse("GET \(other)://a.example/ HTTP/1.1\r\nHost: d\r\n\r\n", isSecure: isSecure)
        } throws: { error in
            (error as? HTTPRejection)?.status.code == 421
        }
    }

    @Test("RFC 9110 §4.2: the scheme of an origin-form target is that of its connection", arguments: [false, true])
    func origin(isSecure: Bool) throws {
        let head = try #require(try parse("GET / HTTP/1.1\r\nHost: d\r\n\r\n", isSecure: isSecure))
        #expect(head.request.scheme == (isSecure ? "https" : "http"))
    }
}
