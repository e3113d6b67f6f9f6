import HTTP1
import HTTPTypes
import Testing

@Suite("Host")
struct AuthorityTests {
    @Test(
        "RFC 9110 §7.2: a name or an address, with a port at most",
        arguments: ["example.org", "example.org:80", "127.0.0.1:8080", "[::1]", "[::1]:8080", "a%41b", "x:", "a_b-c.d", "h:65535"])
    func valid(host: String) {
        let head = parse(get(host: host)).requests.first?.head
        #expect(head?.request.authority == host)
        #expect(head?.request.headerFields.isEmpty == true, "Host has become the authority")
    }

    @Test(
        "RFC 9112 §3.2: an invalid Host is 400",
        arguments: [
            "", "user@h", "h/path", "a,b", "h:80:80", "h:x", "h:+80", "h:65536", ":80", "[::1", "[]", "::1", "[::1]x", "h h", "http://h", "a%zz",
            "h?",
            "h#", "é",
        ])
    func invalid(host: String) {
        #expect(status(get(host: host)) == 400)
    }

    @Test("RFC 9112 §3.2: HTTP/1.1 needs exactly one Host")
    func missingOrRepeated() {
        #expect(status(get(host: nil)) == 400)
        #expect(status(get("Host: h")) == 400)
        #expect(status(get("hOST: other")) == 400)
    }

    @Test("RFC 9112 §3.2: HTTP/1.0 may leave it out, but not repeat it")
    func http10() {
        #expect(parse(get(version: "HTTP/1.0", host: nil)).requests.first?.head.request.authority == nil)
        #expect(parse(get(version: "HTTP/1.0", host: "h")).requests.first?.head.request.authority == "h")
        #expect(status(get("Host: h", version: "HTTP/1.0")) == 400)
    }
}
