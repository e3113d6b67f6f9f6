package import HTTPTypes

extension Route {
    /// What a request asks for, by the same reading that answers it; nil if there is nothing.
    package static func of(_ head: HTTPRequest) -> Route? {
        // Most paths are a route's as they stand.
        if let path = head.path, let route = plain[path] { return route }
        guard let target = Target(head.path ?? "/") else { return nil }
        return match(target.path)?.route
    }

    private static let plain = Dictionary(uniqueKeysWithValues: allCases.filter { !$0.rawValue.contains("{") }.map { ($0.rawValue, $0) })

    /// Whether it says nothing but how the server is and what it offers: then no key is needed, and no limit counts.
    package var isOpen: Bool {
        switch self {
        case .livez, .readyz, .healthz, .version, .openapi, .openapiJSON, .page, .docs, .pageFile, .kserveLive, .kserveReady: true
        default: false
        }
    }

    /// Whether it is what orchestrators and monitoring ask every few seconds.
    package var isProbe: Bool {
        switch self {
        case .livez, .readyz, .healthz, .metrics, .kserveLive, .kserveReady: true
        default: false
        }
    }
}
