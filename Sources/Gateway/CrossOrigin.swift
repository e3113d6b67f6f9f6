internal import HTTP1
package import HTTPTypes
internal import TensorFormats

/// Which pages of other origins may use the server from a browser (the Fetch standard's CORS protocol), and which may not even send to it.
package struct CrossOrigin: Sendable {
    package enum Allowed: Sendable, Equatable {
        case any
        case origins(Set<String>)
    }

    private static let exposed = [
        "ETag", "Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "Server-Timing", "X-Request-Id", "Preference-Applied",
        "Accept-Ranges", "Content-Range", "Content-Disposition", "Inference-Header-Content-Length",
    ].joined(separator: ", ")
    private static let fields = [
        "Accept", "Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key", "If-Match", "If-None-Match",
        "Inference-Header-Content-Length", "Last-Event-ID", "Prefer", "Range", "Request-Timeout", "traceparent", "tracestate", "X-Request-Id",
    ].joined(separator: ", ")
    /// Seconds that a browser may remember a preflight's answer; two hours is the most that any takes.
    private static let remembered = "7200"

    private let allowed: Allowed?

    /// - Parameter allowed: nil if no page of another origin may.
    package init(_ allowed: Allowed?) { self.allowed = allowed }

    /// Whether a text is an origin as browsers send it: scheme, host in lower case, and the port if it is not the scheme's own.
    package static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        let host = text.dropFirst(scheme.count)
        guard !host.isEmpty, host.utf8.elementsEqual(host.asciiLowercased.utf8) else { return false }
        return host.utf8.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
            default: false
            }
        }
    }

    /// The answer to a preflight of an origin that is allowed; nil for everything else.
    package func preflight(_ head: HTTPRequest, methods: [HTTPRequest.Method]) -> HTTPFields? {
        guard head.method == .options, head.headerFields[.accessControlRequestMethod] != nil, let origin = allowedOrigin(head) else { return nil }
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = origin
        fields[.accessControlAllowMethods] = methods.map(\.rawValue).joined(separator: ", ")
        fields[.accessControlAllowHeaders] = Self.fields
        fields[.accessControlMaxAge] = Self.remembered
        fields[.vary] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        return fields
    }

    /// What every answer says to a browser. Never that credentials may come along: a key is given by the page, not by the browser.
    package func decorate(_ fields: inout HTTPFields, for head: HTTPRequest?) {
        guard let allowed, fields[.accessControlAllowOrigin] == nil else { return }
        if allowed != .any { fields[.vary] = fields[.vary].map { "\($0), Origin" } ?? "Origin" }
        guard let head, let origin = allowedOrigin(head) else { return }
        fields[.accessControlAllowOrigin] = origin
        fields[.accessControlExposeHeaders] = Self.exposed
    }

    /// Whether a browser sends this from a page that has no business here. Without keys a page of any site could make a visitor's browser
    /// send to a server on the visitor's own machine, with methods that change something and bodies that need no preflight.
    package func isForeign(_ head: HTTPRequest) -> Bool {
        guard ![.get, .head, .options].contains(head.method), allowedOrigin(head) == nil else { return false }
        if let site = head.headerFields[.secFetchSite] { return !site.isSame(as: "same-origin") && !site.isSame(as: "none") }
        guard let origin = head.headerFields[.origin] else { return false }
        let authority = head.authority?.asciiLowercased ?? ""
        return !origin.isSame(as: "http://\(authority)") && !origin.isSame(as: "https://\(authority)")
    }

    /// What to answer as the allowed origin; nil if it is not, or if no browser asks.
    private func allowedOrigin(_ head: HTTPRequest) -> String? {
        guard let origin = head.headerFields[.origin] else { return nil }
        switch allowed {
        case nil: return nil
        case .any: return "*"
        case .origins(let origins): return origins.contains { $0.isSame(as: origin) } ? origin : nil
        }
    }
}

extension HTTPField.Name {
    fileprivate static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .via
}
