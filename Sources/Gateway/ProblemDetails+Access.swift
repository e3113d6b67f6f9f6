internal import HTTPTypes
internal import NTKService

extension ProblemDetails {
    /// RFC 6750 §3: without credentials the challenge names no error.
    static func unauthorized(isMissing: Bool) -> ProblemDetails {
        ProblemDetails(
            status: .unauthorized, type: .unauthorized, title: "A key is needed",
            detail: "Authorization: Bearer KEY expected; \(isMissing ? "no Authorization" : "one that is no key of this server") came",
            headerFields: [.wwwAuthenticate: "Bearer realm=\"ntk-server\"" + (isMissing ? "" : ", error=\"invalid_token\"")])
    }

    static let expiredKey = ProblemDetails(
        status: .forbidden, type: .keyExpired, title: "The key has expired", detail: "a key whose time is not over expected")

    static func foreignOrigin(_ origin: String) -> ProblemDetails {
        ProblemDetails(
            status: .forbidden, type: .foreignOrigin, title: "Pages of this origin may not use the server",
            detail: "a page of the server's own or an origin given by --cors-origin expected; Origin: \(origin.prefix(100)) came")
    }

    /// RFC 9110 §15.5.20.
    static func foreignHost(_ authority: String) -> ProblemDetails {
        ProblemDetails(
            status: .misdirectedRequest, type: .foreignHost, title: "The server does not answer for this host",
            detail: "localhost, an address of this server or a host given by --allowed-host expected; Host: \(authority.prefix(100)) came")
    }

    static func tooManyRequests(_ limit: RateLimit, _ allowance: RateLimiter.Allowance) -> ProblemDetails {
        ProblemDetails(
            status: .tooManyRequests, type: .rateLimited, title: "Too many requests",
            detail: "at most \(limit.requests) requests in \(limit.seconds) s expected; ask again in \(allowance.resetSeconds) s",
            headerFields: [
                .retryAfter: String(allowance.resetSeconds), .rateLimitPolicy: limit.policyField, .rateLimit: allowance.field,
            ])
    }
}
