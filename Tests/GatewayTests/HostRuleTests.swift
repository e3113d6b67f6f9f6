import Gateway
import Testing

@Suite struct HostRuleTests {
    private let loopback = HostRule(listening: "127.0.0.1", isLoopback: true, allowed: ["NTK.example", "*.pages.example", "192.0.2.7"])
    private let open = HostRule(listening: "0.0.0.0", isLoopback: false, allowed: [])

    @Test(arguments: [
        "localhost", "localhost:8080", "LocalHost:1", "localhost.", "127.0.0.1", "127.0.0.1:8080", "127.9.9.9:80", "[::1]", "[::1]:8080",
        "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:8080", "ntk.localhost:8080", "ntk.example", "nTk.eXample.:443", "a.pages.example",
        "a.b.pages.example:1", "192.0.2.7:80",
    ])
    func thisServerIsMeant(authority: String) { #expect(loopback.allows(authority)) }

    @Test(arguments: [
        "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "evil-localhost", "notlocalhost", "pages.example",
        "evilpages.example", ".pages.example", "192.0.2.8", "10.0.0.1:8080", "[fe80::1]", "[::2]:8080", "0x7f.0.0.1", "127.1", "2130706433", "0",
        "%6cocalhost", "localhost%2eevil.example", "h", "", ":8080", "[::1", "LOCALHOST\u{212A}", "\u{212A}.example", "ntk.example..",
    ])
    func anotherHostIsMeant(authority: String) { #expect(!loopback.allows(authority)) }

    /// Beyond loopback a page whose origin is an address has come from that address.
    @Test func addressesWhereTheServerListensOnMoreThanLoopback() {
        for authority in ["10.0.0.1:8080", "[2001:db8::1]:8080", "0.0.0.0", "localhost", "127.0.0.1"] { #expect(open.allows(authority)) }
        for authority in ["evil.example", "ntk.svc.cluster.local:8080", "10.0.0.1.evil.example"] { #expect(!open.allows(authority)) }
    }

    @Test func theNameListenedOn() {
        let named = HostRule(listening: "ntk.internal", isLoopback: false, allowed: [])
        #expect(named.allows("ntk.internal:8080") && !named.allows("other.internal"))
    }

    /// HTTP/1.0, which no browser sends.
    @Test func noHost() { #expect(loopback.allows(nil)) }

    @Test func whatAHostIs() {
        for text in ["ntk.example", "*.example", "127.0.0.1", "::1", "a_b", "LOCAL"] { #expect(HostRule.isHost(text), "\(text)") }
        for text in ["", "*", "*.", "http://a", "a:80", "a/b", "a b", "é.example", "[::1]", "a.*"] { #expect(!HostRule.isHost(text), "\(text)") }
    }
}
