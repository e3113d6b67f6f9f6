internal import HTTPTypes

/// Everything that can be asked for: a path with its methods.
enum Route: String, CaseIterable, Sendable {
    case kernels = "/v1/kernels"
    case predictions = "/v1/predictions"
    case livez = "/livez"
    case readyz = "/readyz"
    case version = "/version"
    case openapi = "/openapi.yaml"

    var methods: [HTTPRequest.Method] {
        switch self {
        case .kernels, .predictions: [.post, .options]
        case .livez, .readyz, .version, .openapi: [.get, .head, .options]
        }
    }

    /// The `Allow` field.
    var allow: String { methods.map(\.rawValue).joined(separator: ", ") }

    /// The media type of a good answer.
    var mediaType: String {
        self == .openapi ? "application/yaml" : "application/json"
    }

    /// Query parameters that mean something.
    var parameters: [String: [String]] {
        switch self {
        case .kernels, .predictions: ["format": ["json"]]
        default: [:]
        }
    }
}
