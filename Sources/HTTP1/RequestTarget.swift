import HTTPTypes

/// A request target in one of the forms of RFC 9112 §3.2.
enum RequestTarget: Equatable {
    /// Path and query, as they came.
    case origin(String)
    /// An absolute URI: its authority replaces Host.
    case absolute(authority: String, path: String)
    /// "*", for OPTIONS of the server as a whole.
    case asterisk

    var authority: String? {
        if case .absolute(let authority, _) = self { authority } else { nil }
    }

    /// What the service sees; the asterisk stays one.
    var path: String {
        switch self {
        case .origin(let path), .absolute(_, let path): path
        case .asterisk: "*"
        }
    }

    init(_ octets: ArraySlice<UInt8>, method: HTTPRequest.Method) throws(HTTPRejection) {
        guard !octets.isEmpty, octets.allSatisfy(Octet.isTarget) else {
            throw .bad("the request target must be a URI's visible characters, others percent-encoded", "RFC 9112 §3.2")
        }
        guard !octets.contains(UInt8(ascii: "#")) else { throw .bad("a request target has no fragment", "RFC 9112 §3.2") }
        if octets.first == Octet.slash {
            self = .origin(String(decoding: octets, as: UTF8.self))
        } else if octets.elementsEqual("*".utf8) {
            guard method == .options else { throw .bad("the target * is for OPTIONS only", "RFC 9112 §3.2.4") }
            self = .asterisk
        } else {
            self = try Self.absolute(octets)
        }
    }

    private static func absolute(_ octets: ArraySlice<UInt8>) throws(HTTPRejection) -> RequestTarget {
        let scheme = octets.prefix { $0 != Octet.colon }
        let rest = octets.dropFirst(scheme.count)
        guard rest.starts(with: "://".utf8) else {
            throw .bad("the request target must be a path that begins with /, or an absolute http URI", "RFC 9112 §3.2")
        }
        if scheme.equalsIgnoringCase("https") {
            throw HTTPRejection(status: .misdirectedRequest, detail: "this connection does not serve https URIs", rule: "RFC 9110 §7.4")
        }
        guard scheme.equalsIgnoringCase("http") else { throw .bad("only http URIs are served here", "RFC 9112 §3.2.2") }
        let authority = rest.dropFirst(3).prefix { $0 != Octet.slash && $0 != UInt8(ascii: "?") }
        guard !authority.isEmpty else { throw .bad("an http URI must have a host", "RFC 9110 §4.2.1") }
        let path = String(decoding: rest.dropFirst(3 + authority.count), as: UTF8.self)
        return .absolute(authority: try checkedAuthority(authority), path: path.hasPrefix("/") ? path : "/" + path)
    }

    /// host [":" port], without user information, in characters that a host may have.
    static func checkedAuthority(_ octets: ArraySlice<UInt8>) throws(HTTPRejection) -> String {
        let rule = "RFC 9112 §3.2"
        guard !octets.isEmpty else { throw .bad("Host must not be empty", rule) }
        guard octets.allSatisfy({ Octet.isTarget($0) && !"/?#@,".utf8.contains($0) }) else {
            throw .bad("Host must be a host name or address and at most a port", rule)
        }
        var host = octets
        if octets.first == UInt8(ascii: "[") {
            guard let end = octets.firstIndex(of: UInt8(ascii: "]")) else { throw .bad("an IPv6 address must end with ]", rule) }
            host = octets[...end]
        } else if let colon = octets.firstIndex(of: Octet.colon) {
            host = octets[..<colon]
        }
        let port = octets.dropFirst(host.count)
        guard !host.isEmpty, port.isEmpty || (port.first == Octet.colon && port.dropFirst().allSatisfy(Octet.isDigit)) else {
            throw .bad("Host must be a host name or address and at most a port", rule)
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
