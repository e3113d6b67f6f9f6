package import HTTPTypes

/// A whole header section, checked, with what it says about the connection.
package struct RequestHead: Sendable, Equatable {
    /// Host has become the authority; every other field is as it came.
    package var request: HTTPRequest
    package var version: HTTPVersion
    package var framing: BodyFraming
    /// The client waits for `100 (Continue)` before it sends the body (RFC 9110 §10.1.1).
    package var expectsContinue: Bool
    /// Whether the connection may serve another request (RFC 9112 §9.3).
    package var keepsAlive: Bool

    init(_ line: RequestLine, _ fields: HTTPFields) throws(HTTPRejection) {
        var hosts = 0
        var host: HTTPField?
        var contentLengths: [String] = []
        var transferCodings: [String] = []
        var connection: [String] = []
        var expectations: [String] = []
        for field in fields {
            switch field.name.canonicalName {
            case "host":
                hosts += 1
                host = field
            case "content-length": contentLengths.append(field.value)
            case "transfer-encoding": transferCodings.append(field.value)
            case "connection": connection += listMembers(field.value)
            case "expect": expectations += listMembers(field.value)
            default: break
            }
        }
        version = line.version
        framing = try BodyFraming(contentLengths: contentLengths, transferCodings: transferCodings, version: version)
        let authority = try Self.authority(host, count: hosts, line: line)
        expectsContinue = try Self.expectsContinue(expectations, version: version)
        keepsAlive =
            switch version {
            case .http11: !connection.contains("close")
            case .http10: connection.contains("keep-alive") && !connection.contains("close")
            }
        var others = fields
        if hosts > 0 { others.removeAll { $0.name.canonicalName == "host" } }
        request = HTTPRequest(
            method: line.method, scheme: line.isSecure ? "https" : "http", authority: authority, path: line.target.path, headerFields: others)
    }

    /// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, even beside an absolute-form target; at most one in 1.0.
    private static func authority(_ host: HTTPField?, count: Int, line: RequestLine) throws(HTTPRejection) -> String? {
        guard count <= 1 else {
            throw .badRequest("More than one Host.", "RFC 9112 §3.2")
        }
        guard let host else {
            guard line.version == .http10 else {
                throw .badRequest("An HTTP/1.1 request must have a Host.", "RFC 9112 §3.2")
            }
            return line.target.authority
        }
        let value = host.value
        try Authority.check(value.utf8.span, rule: "RFC 9112 §3.2")
        return line.target.authority ?? value
    }

    /// RFC 9110 §10.1.1: `100-continue` is the only expectation there is; all are ignored in HTTP/1.0.
    private static func expectsContinue(_ expectations: [String], version: HTTPVersion) throws(HTTPRejection) -> Bool {
        guard version == .http11, !expectations.isEmpty else { return false }
        guard expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw .expectationFailed("The only expectation that can be met is 100-continue.", "RFC 9110 §10.1.1")
        }
        return true
    }
}
