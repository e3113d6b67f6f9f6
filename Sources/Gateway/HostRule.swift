internal import Glibc
internal import HTTPTypes

/// Which hosts a request may be sent to, by what stands in `Host`.
///
/// Without keys, every client that reaches the port may ask; on loopback those are the programs of this machine. A web page is not among them, but it
/// could be: its own name, `evil.example`, can be made to resolve to 127.0.0.1 once the page is loaded (DNS rebinding), and to the browser
/// the server is then the page's own origin. What the page cannot change is the name in `Host`. An address there is safe where the server
/// listens on it: a page whose origin is that address has come from it.
package struct HostRule: Sendable {
    /// Names in lower case, without a dot at the end.
    private var names: Set<String> = ["localhost"]
    /// `.example.org`: all names below it.
    private var suffixes: [String] = []
    /// Whether addresses beyond loopback are allowed too.
    private let allowsAddresses: Bool

    /// - Parameters:
    ///   - listening: the name or address on which the server listens.
    ///   - isLoopback: whether that is this machine's own.
    ///   - allowed: names, addresses, and `*.example.org` for all names below one.
    package init(listening host: String, isLoopback: Bool, allowed: [String]) {
        allowsAddresses = !isLoopback
        for host in [host] + allowed {
            let host = Self.canonical(host)
            if host.hasPrefix("*.") { suffixes.append(String(host.dropFirst())) } else { names.insert(host) }
        }
    }

    /// Whether a text can be one of the allowed hosts: a name, an address, or `*.` before a name; without a port.
    package static func isHost(_ text: String) -> Bool {
        if address(text) != nil { return true }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : Substring(text)
        return !name.isEmpty
            && name.utf8.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// - Parameter authority: `host [":" port]`, as HTTP/1.1 requires it; a request of HTTP/1.0 may have none, and no browser sends that.
    package func allows(_ authority: String?) -> Bool {
        guard let authority else { return true }
        let host = Self.canonical(Self.host(of: authority))
        if names.contains(host) || suffixes.contains(where: { host.utf8.count > $0.utf8.count && host.hasSuffix($0) }) { return true }
        switch Self.address(host) {
        case nil: return host.hasSuffix(".localhost")
        case true?: return true
        case false?: return allowsAddresses
        }
    }

    private static func host(of authority: String) -> Substring {
        if authority.utf8.first == UInt8(ascii: "["), let end = authority.utf8.firstIndex(of: UInt8(ascii: "]")) {
            return authority[...end]
        }
        return authority.prefix { $0 != ":" }
    }

    /// In lower case (of ASCII alone), without brackets, and without the dot that ends a name that is given whole.
    private static func canonical(_ host: some StringProtocol) -> String {
        var octets = host.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if octets.first == UInt8(ascii: "["), octets.last == UInt8(ascii: "]") { octets = Array(octets.dropFirst().dropLast()) }
        if octets.last == UInt8(ascii: ".") { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }

    /// Whether an address is this machine's own; nil for what is none.
    private static func address(_ host: String) -> Bool? {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        let octets = unsafe withUnsafeBytes(of: six) { unsafe Array($0) }
        let isIPv4 = octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
        return (octets[..<15].allSatisfy { $0 == 0 } && octets[15] == 1) || (isIPv4 && octets[12] == 127)
    }

    /// Whether a host can only be this machine's own. A name other than localhost may be anything.
    package static func isLoopback(_ host: String) -> Bool { host == "localhost" || address(host) == true }
}
