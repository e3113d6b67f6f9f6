internal import FoundationEssentials
internal import HTTP1
internal import HTTPTypes
internal import Metrics
internal import NTKService

/// Which clients may ask, and how often.
package struct AccessControl: Sendable {
    /// Nil: everyone may.
    private let keys: KeyRing?
    private let limiter: RateLimiter?
    private let crossOrigin: CrossOrigin
    private let opensMetrics: Bool
    /// Nil: a request may name any host.
    private let hosts: HostRule?

    /// - Parameters:
    ///   - opensMetrics: whether `/metrics` needs no key.
    ///   - hosts: the hosts that a request may name; nil for any.
    package init(
        keys: KeyRing? = nil, limiter: RateLimiter? = nil, crossOrigin: CrossOrigin = CrossOrigin(nil), opensMetrics: Bool = false,
        hosts: HostRule? = nil
    ) {
        self.hosts = hosts
        self.keys = keys
        self.limiter = limiter
        self.crossOrigin = crossOrigin
        self.opensMetrics = opensMetrics
    }

    /// Whether anyone may ask for it, as often as they like: health, and what describes the server.
    private func isOpen(_ head: HTTPRequest, _ resource: Resource?) -> Bool {
        head.method == .options || resource?.isOpen(opensMetrics: opensMetrics) == true
    }

    /// Refuses a request that was sent to a host which is not this server, whatever it asks for.
    func checkHost(_ head: HTTPRequest, _ metrics: HTTPMetrics) throws(ProblemDetails) {
        guard let hosts, !hosts.allows(head.authority) else { return }
        metrics.refusals[.foreignHost].increment()
        throw .foreignHost(head.authority ?? "")
    }

    /// Lets a request in, and takes it from what its client has; or says why not.
    /// - Returns: the name of the client's key, also where none is needed.
    func admit(_ head: HTTPRequest, _ resource: Resource?, from remoteAddress: String, _ metrics: HTTPMetrics) throws(ProblemDetails) -> String? {
        let identity = keys?.identify(head, at: .now)
        var keyName: String?
        if case .known(let name)? = identity { keyName = name }
        guard !isOpen(head, resource) else { return keyName }
        var client = "address \(ClientAddress.network(remoteAddress))"
        var refusal: (reason: HTTPMetrics.Refusal, problem: ProblemDetails)?
        if let identity {
            switch identity {
            case .known(let name): client = "key \(name)"
            case .expired: refusal = (.expiredKey, .expiredKey)
            case .unknown: refusal = (.unknownKey, .unauthorized(isMissing: false))
            case .none: refusal = (.noKey, .unauthorized(isMissing: true))
            }
        } else if crossOrigin.isForeign(head) {
            refusal = (.foreignOrigin, .foreignOrigin(head.headerFields[.origin] ?? "none"))
        }
        // Requests with an unknown key count by their address, so that trying keys is limited.
        if let limiter {
            let allowance = limiter.take(client)
            guard allowance.isGranted else {
                metrics.refusals[.rateLimit].increment()
                throw .tooManyRequests(limiter.limit, allowance)
            }
        }
        if let refusal {
            metrics.refusals[refusal.reason].increment()
            throw refusal.problem
        }
        return keyName
    }

    /// The `RateLimit` fields of an answer.
    func fields(_ request: ServerRequest, _ resource: Resource?) -> HTTPFields {
        guard let limiter, !isOpen(request.head, resource) else { return [:] }
        let client = request.keyName.map { "key \($0)" } ?? "address \(ClientAddress.network(request.remoteAddress))"
        return [.rateLimitPolicy: limiter.limit.policyField, .rateLimit: limiter.look(client).field]
    }
}

extension HTTPField.Name {
    static let rateLimit = HTTPField.Name("RateLimit") ?? .via
    static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy") ?? .via
}
