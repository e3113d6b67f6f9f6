import HTTP1
import HTTPTypes
import Testing

@Suite("Request target")
struct RequestTargetTests {
    private func head(_ target: String, method: String = "GET") -> RequestHead? {
        parse("\(method) \(target) HTTP/1.1\r\nHost: h\r\n\r\n").requests.first?.head
    }

    @Test("RFC 9112 §3.2.1: origin form keeps its percent-encoding", arguments: ["/", "/a%2Fb", "/?", "/a?b=%20&c='(*)'", "//x", "/a:b@c;d,e~!$+="])
    func originForm(target: String) {
        #expect(head(target)?.request.path == target)
    }

    @Test(
        "RFC 9112 §3.2: what a URI cannot hold is refused",
        arguments: ["/a\"b", "/<", "/a\u{7f}", "/é", "/a#b", "/[", "/{x}", "/|", "/^", "/`", "/\\", "/\u{1}", "/a\tb"])
    func invalidCharacters(target: String) {
        #expect(status(get(target: target)) == 400)
    }

    @Test("RFC 3986 §2.1: a percent sign stands before two hexadecimal digits", arguments: ["/%", "/%1", "/%zz", "/%1g", "/a%+1"])
    func percent(target: String) {
        #expect(status(get(target: target)) == 400)
    }

    @Test("RFC 9112 §3.2: other forms are refused", arguments: ["example.org", "example.org:80", "a/b", "ftp://x/", "http:/x", "?x", "file:///etc"])
    func otherForms(target: String) {
        #expect(status(get(target: target)) == 400)
    }

    @Test("RFC 9112 §3.2.2: the authority of absolute form replaces Host")
    func absoluteForm() {
        let head = head("http://example.org:8080/p?q")
        #expect(head?.request.path == "/p?q")
        #expect(head?.request.authority == "example.org:8080")
        #expect(self.head("HTTP://example.org/")?.request.authority == "example.org")
        #expect(self.head("http://example.org")?.request.path == "/")
        #expect(self.head("http://example.org?q")?.request.path == "/?q")
    }

    @Test("RFC 9112 §3.2: absolute form does without neither Host nor its rules")
    func absoluteFormNeedsHost() {
        #expect(status(get(target: "http://example.org/", host: nil)) == 400)
        #expect(status(get(target: "http://example.org/", host: "a,b")) == 400)
    }

    @Test("RFC 9110 §4.2.4: no userinfo in a target", arguments: ["http://user@example.org/", "http://u:p@example.org/"])
    func userinfo(target: String) {
        #expect(status(get(target: target)) == 400)
    }

    @Test("RFC 9110 §4.2.1: an http target has a host", arguments: ["http:///", "http://", "http://:80/"])
    func emptyHost(target: String) {
        #expect(status(get(target: target)) == 400)
    }

    @Test("RFC 9110 §7.4: an https target on a plain connection is 421")
    func misdirected() {
        #expect(status(get(target: "https://example.org/")) == 421)
    }

    @Test("RFC 9112 §3.2.4: the asterisk is for OPTIONS")
    func asterisk() {
        #expect(head("*", method: "OPTIONS")?.request.path == "*")
        #expect(head("http://example.org", method: "OPTIONS")?.request.path == "*")
        #expect(status(get(target: "*")) == 400)
    }
}
