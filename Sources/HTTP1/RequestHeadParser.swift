import HTTPTypes

/// Turns the octets of one header section into a request head.
struct RequestHeadParser {
    /// Methods that exist but that no resource here has are refused as a server that does not know them (RFC 9110 §9.1).
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]

    let limits: HTTPLimits
    private var method = HTTPRequest.Method.get
    private var version = HTTPVersion.http11
    private var target = RequestTarget.asterisk
    private var fields = HTTPFields()
    private var framing = FramingFields()
    private var host: String?

    init(limits: HTTPLimits) { self.limits = limits }

    /// method SP request-target SP HTTP-version (RFC 9112 §3). `line` is without its CRLF.
    mutating func parseRequestLine(_ line: ArraySlice<UInt8>) throws(HTTPRejection) {
        let parts = line.split(separator: Octet.space, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, name.allSatisfy(Octet.isToken) else {
            throw .bad("a request line must begin with a method", "RFC 9112 §3.1")
        }
        guard name.count <= limits.methodBytes else {
            throw HTTPRejection(status: .notImplemented, detail: "no method is that long", rule: "RFC 9112 §3")
        }
        guard parts.count == 3 else {
            throw .bad("a request line must be a method, a target and a version with one space between them", "RFC 9112 §3")
        }
        version = try Self.parseVersion(parts[2])
        let methodName = String(decoding: name, as: UTF8.self)
        guard Self.methods.contains(methodName), let known = HTTPRequest.Method(methodName) else {
            throw HTTPRejection(status: .notImplemented, detail: "the method \(methodName) is not implemented", rule: "RFC 9110 §9.1")
        }
        method = known
        target = try RequestTarget(parts[1], method: known)
    }

    private static func parseVersion(_ octets: ArraySlice<UInt8>) throws(HTTPRejection) -> HTTPVersion {
        let octets = Array(octets)
        guard octets.count == 8, octets.starts(with: "HTTP/".utf8), Octet.isDigit(octets[5]), octets[6] == UInt8(ascii: "."),
            Octet.isDigit(octets[7])
        else { throw .bad("the version must be HTTP/ and two digits with a dot between them", "RFC 9112 §2.3") }
        guard octets[5] == UInt8(ascii: "1") else {
            throw HTTPRejection(status: .httpVersionNotSupported, detail: "only HTTP/1.1 and HTTP/1.0 are spoken here", rule: "RFC 9110 §15.6.6")
        }
        return octets[7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    /// field-name ":" OWS field-value OWS (RFC 9112 §5). `line` is without its CRLF and not empty.
    mutating func parseField(_ line: ArraySlice<UInt8>) throws(HTTPRejection) {
        let (name, value) = try Self.split(line)
        if name.equalsIgnoringCase("content-length") { try framing.addContentLength(value) }
        if name.equalsIgnoringCase("transfer-encoding") { try framing.addTransferEncoding(value) }
        if name.equalsIgnoringCase("connection") { framing.addConnection(value) }
        if name.equalsIgnoringCase("expect") { try framing.addExpect(value, version: version) }
        if name.equalsIgnoringCase("host") {
            framing.hosts += 1
            guard framing.hosts == 1 else { throw .bad("Host came twice", "RFC 9112 §3.2") }
            host = try RequestTarget.checkedAuthority(value)
            return
        }
        guard let name = HTTPField.Name(String(decoding: name, as: UTF8.self)) else {
            throw .bad("a field name must be a token", "RFC 9110 §5.1")
        }
        fields.append(HTTPField(name: name, value: String(decoding: value, as: UTF8.self)))
    }

    /// Name and value of a field line, checked.
    static func split(_ line: ArraySlice<UInt8>) throws(HTTPRejection) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        if let first = line.first, first == Octet.space || first == Octet.tab {
            throw .bad("a field line must not begin with whitespace: line folding is obsolete", "RFC 9112 §5.2")
        }
        guard let colon = line.firstIndex(of: Octet.colon) else { throw .bad("a field line must have a colon", "RFC 9112 §5") }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(Octet.isToken) else {
            throw .bad("a field name must be a token with no whitespace before the colon", "RFC 9112 §5.1")
        }
        let value = line[(colon + 1)...].trimmed
        guard value.allSatisfy(Octet.isFieldContent) else {
            throw .bad("a field value must have no control characters", "RFC 9110 §5.5")
        }
        return (name, value)
    }

    /// The head, when the empty line has come.
    func finish() throws(HTTPRejection) -> RequestHead {
        guard host != nil || version == .http10 else { throw .bad("an HTTP/1.1 request must have a Host", "RFC 9112 §3.2") }
        let request = HTTPRequest(
            method: method, scheme: "http", authority: target.authority ?? host, path: target.path, headerFields: fields)
        return RequestHead(
            request: request, version: version, expectsContinue: framing.expectsContinue,
            keepsAlive: !framing.closes && (version == .http11 || framing.keepsAlive), framing: try framing.framing(version: version))
    }
}
