package import HTTPTypes

extension Route {
    /// What a request asks for, by the same reading that answers it; nil if there is nothing.
    package static func of(_ head: HTTPRequest) -> Route? {
        Target(head.path ?? "/").flatMap { find($0.path) }
    }

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
