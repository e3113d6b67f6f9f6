/// So many requests in so many seconds: `600/min`.
package struct RateLimit: Sendable, Equatable {
    package var requests: Int
    package var seconds: Int

    package init(requests: Int, seconds: Int) {
        self.requests = requests
        self.seconds = seconds
    }

    /// `N/s`, `N/min`, `N/h` or `N/day`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let units = ["s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400]
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let requests = Int(parts[0]), requests > 0,
            requests <= 1_000_000_000, let seconds = units[String(parts[1])]
        else { return nil }
        self.init(requests: requests, seconds: seconds)
    }

    /// The `RateLimit-Policy` field (draft-ietf-httpapi-ratelimit-headers).
    package var policyField: String { "\"default\";q=\(requests);w=\(seconds)" }
}
