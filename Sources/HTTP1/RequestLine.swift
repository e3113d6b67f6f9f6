import HTTPTypes

/// `method SP request-target SP HTTP-version` (RFC 9112 §3).
struct RequestLine {
    var method: HTTPRequest.Method
    var version: HTTPVersion
    var target: RequestTarget
    var isSecure: Bool

    /// Exactly one space on either side of the target: the lenient reading of RFC 9112 §3 is optional, and a way to smuggle.
    /// - Parameter isSecure: Whether it came through TLS.
    init(_ line: Span<UInt8>, isSecure: Bool) throws(HTTPRejection) {
        guard let first = line.firstIndex(of: Octet.space), let second = line.firstIndex(of: Octet.space, from: first + 1) else {
            throw .badRequest("The request line must be a method, a target and a version, separated by single spaces.", "RFC 9112 §3")
        }
        let methodOctets = line.extracting(0..<first)
        guard Self.isToken(methodOctets) else {
            throw .badRequest("The method must be a token.", "RFC 9112 §3.1")
        }
        version = try Self.version(line.extracting((second + 1)..<line.count))
        guard let known = Self.method(methodOctets) else {
            throw .notImplemented("The method is not one that this server knows.", "RFC 9110 §9.1")
        }
        method = known
        target = try RequestTarget(line.extracting((first + 1)..<second), method: known, isSecure: isSecure)
        self.isSecure = isSecure
    }

    static func isToken(_ octets: Span<UInt8>) -> Bool {
        let token = OctetSet.token
        for index in octets.indices where !token.contains(octets[index]) { return false }
        return !octets.isEmpty
    }

    private static func version(_ octets: Span<UInt8>) throws(HTTPRejection) -> HTTPVersion {
        guard octets.count == 8, octets.extracting(0..<5).equals("HTTP/"), isDigit(octets[5]), octets[6] == UInt8(ascii: "."), isDigit(octets[7])
        else {
            throw .badRequest("The request line must end in a version such as HTTP/1.1.", "RFC 9112 §2.3")
        }
        guard octets[5] == UInt8(ascii: "1") else {
            throw .versionNotSupported("This server speaks HTTP/1.0 and HTTP/1.1.", "RFC 9110 §15.6.6")
        }
        return octets[7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    /// The methods that a handler may see. TRACE would echo credentials and CONNECT would make a proxy of the server: both stay unknown.
    private static func method(_ octets: Span<UInt8>) -> HTTPRequest.Method? {
        switch octets.count {
        case 3:
            if octets.equals("GET") { return .get }
            if octets.equals("PUT") { return .put }
        case 4:
            if octets.equals("POST") { return .post }
            if octets.equals("HEAD") { return .head }
        case 5:
            if octets.equals("PATCH") { return .patch }
        case 6:
            if octets.equals("DELETE") { return .delete }
        case 7:
            if octets.equals("OPTIONS") { return .options }
        default:
            break
        }
        return nil
    }
}
