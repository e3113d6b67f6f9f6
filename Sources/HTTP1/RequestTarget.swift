import HTTPTypes

/// Where a request goes: in origin form, whatever form it came in (RFC 9112 §3.2).
struct RequestTarget {
    /// Path and query, or "*".
    var path: String
    /// The authority of an absolute-form target; it replaces the one in Host.
    var authority: String?

    init(_ target: Span<UInt8>, method: HTTPRequest.Method, isSecure: Bool) throws(HTTPRejection) {
        guard !target.isEmpty else {
            throw .badRequest("The request target must not be empty.", "RFC 9112 §3.2")
        }
        if target[0] == UInt8(ascii: "/") {
            try Self.checkPathAndQuery(target)
            path = String(octets: target)
        } else if target.equals("*") {
            guard method == .options else {
                throw .badRequest("The target \"*\" is for OPTIONS only.", "RFC 9112 §3.2.4")
            }
            path = "*"
        } else if target.startsIgnoringCase(with: "http://") {
            guard !isSecure else {
                throw .misdirectedRequest("An http target came over a connection that serves https.", "RFC 9110 §7.4")
            }
            (authority, path) = try Self.absoluteForm(target.extracting(7..<target.count), method: method)
        } else if target.startsIgnoringCase(with: "https://") {
            guard isSecure else {
                throw .misdirectedRequest("An https target came over a connection that is not secured.", "RFC 9110 §7.4")
            }
            (authority, path) = try Self.absoluteForm(target.extracting(8..<target.count), method: method)
        } else {
            throw .badRequest("The request target must start with \"/\" or \"http://\", or be \"*\".", "RFC 9112 §3.2")
        }
    }

    /// - Parameter rest: What follows the scheme and "://".
    private static func absoluteForm(
        _ rest: Span<UInt8>, method: HTTPRequest.Method
    ) throws(HTTPRejection) -> (authority: String, path: String) {
        var end = 0
        while end < rest.count, rest[end] != UInt8(ascii: "/"), rest[end] != UInt8(ascii: "?") { end += 1 }
        let authority = rest.extracting(0..<end)
        try Authority.check(authority, rule: "RFC 9112 §3.2.2")
        let pathAndQuery = rest.extracting(end..<rest.count)
        try checkPathAndQuery(pathAndQuery)
        let path = String(octets: pathAndQuery)
        if path.isEmpty {
            // RFC 9112 §3.2.4: the whole server is meant.
            return (String(octets: authority), method == .options ? "*" : "/")
        }
        return (String(octets: authority), path.utf8.first == UInt8(ascii: "/") ? path : "/" + path)
    }

    /// RFC 3986 §3.3 and §3.4, strictly: no raw control, space, quote, bracket or octet above 127, no fragment, and "%" only before two hex digits.
    private static func checkPathAndQuery(_ octets: Span<UInt8>) throws(HTTPRejection) {
        let allowed = OctetSet.pathAndQuery
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            if octet == Octet.percent {
                guard index + 2 < octets.count, hexadecimalValue(octets[index + 1]) != nil, hexadecimalValue(octets[index + 2]) != nil else {
                    throw .badRequest("In the request target \"%\" must be followed by two hexadecimal digits.", "RFC 3986 §2.1")
                }
                index += 3
            } else {
                guard allowed.contains(octet) else {
                    throw .badRequest("The request target holds a character that must be percent-encoded.", "RFC 9112 §3.2")
                }
                index += 1
            }
        }
    }
}
