package import HTTPTypes
internal import Jobs

/// Everything that can be asked for: a path with its methods. A segment in braces stands for any one segment.
package enum Route: String, CaseIterable, Sendable {
    case kernels = "/v1/kernels"
    case predictions = "/v1/predictions"
    case networks = "/v1/networks"
    case network = "/v1/networks/{id}"
    case empiricalKernels = "/v1/empirical-kernels"
    case networkOutputs = "/v1/network-outputs"
    case convergence = "/v1/convergence"
    case dynamics = "/v1/dynamics"
    case spectra = "/v1/spectra"
    case trainings = "/v1/trainings"
    case regressors = "/v1/regressors"
    case regressor = "/v1/regressors/{id}"
    case regressorPredictions = "/v1/regressors/{id}/predictions"
    case jobs = "/v1/jobs"
    case job = "/v1/jobs/{id}"
    case jobEvents = "/v1/jobs/{id}/events"
    case jobResult = "/v1/jobs/{id}/result"
    case kserveServer = "/v2"
    case kserveServerSlash = "/v2/"
    case kserveLive = "/v2/health/live"
    case kserveReady = "/v2/health/ready"
    case kserveModel = "/v2/models/{id}"
    case kserveModelReady = "/v2/models/{id}/ready"
    case kserveInfer = "/v2/models/{id}/infer"
    case kserveIndex = "/v2/repository/index"
    case kserveStatistics = "/v2/models/stats"
    case kserveModelStatistics = "/v2/models/{id}/stats"
    case kserveVersionStatistics = "/v2/models/{id}/versions/{version}/stats"
    case kserveVersion = "/v2/models/{id}/versions/{version}"
    case kserveVersionReady = "/v2/models/{id}/versions/{version}/ready"
    case kserveVersionInfer = "/v2/models/{id}/versions/{version}/infer"
    case livez = "/livez"
    case readyz = "/readyz"
    case healthz = "/healthz"
    case metrics = "/metrics"
    case version = "/version"
    case openapi = "/openapi.yaml"
    case openapiJSON = "/openapi.json"
    case page = "/"
    case docs = "/docs"
    case pageFile = "/page/{file}"

    /// The route of a path.
    static func find(_ path: String) -> Route? {
        if let route = plain[path] { return route }
        let octets = path.utf8.span
        return templates.first { fits($0.segments, octets) }?.route
    }

    /// What stands in a path of this route in place of the segments in braces.
    func segments(of path: String) -> [String: String] {
        guard rawValue.utf8.contains(UInt8(ascii: "{")) else { return [:] }
        guard let template = Self.templates.first(where: { $0.route == self })?.segments else { return [:] }
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let named = zip(template, parts).filter(\.0.isName).map {
            (String(decoding: $0.0.octets, as: UTF8.self), String(decoding: $0.1, as: UTF8.self))
        }
        return Dictionary(uniqueKeysWithValues: named)
    }

    private static func fits(_ template: [Segment], _ path: Span<UInt8>) -> Bool {
        var start = 0
        for (index, segment) in template.enumerated() {
            var end = start
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            guard (end == path.count) == (index == template.count - 1) else { return false }
            guard segment.isName ? end > start : segment.equals(path.extracting(start..<end)) else { return false }
            start = end + 1
        }
        return true
    }

    /// Of a path: what stands there, or the name of what may.
    private struct Segment {
        let octets: [UInt8]
        let isName: Bool

        init(_ text: Substring) {
            isName = text.hasPrefix("{")
            octets = Array((isName ? text.dropFirst().dropLast() : text).utf8)
        }

        func equals(_ other: Span<UInt8>) -> Bool {
            guard octets.count == other.count else { return false }
            for index in octets.indices where octets[index] != other[index] { return false }
            return true
        }
    }

    /// Paths that stand for themselves.
    private static let plain = Dictionary(uniqueKeysWithValues: allCases.filter { !$0.rawValue.contains("{") }.map { ($0.rawValue, $0) })
    private static let templates: [(route: Route, segments: [Segment])] = allCases.filter { $0.rawValue.contains("{") }.map { route in
        (route, route.rawValue.split(separator: "/", omittingEmptySubsequences: false).map(Segment.init))
    }

    package var methods: [HTTPRequest.Method] {
        switch self {
        case .kernels, .predictions, .dynamics, .spectra, .trainings, .regressorPredictions, .empiricalKernels, .networkOutputs, .convergence:
            [.post, .options]
        case .kserveInfer, .kserveVersionInfer, .kserveIndex: [.post, .options]
        case .networks, .regressors: [.get, .head, .post, .options]
        case .network, .regressor, .job: [.get, .head, .delete, .options]
        case .jobs, .jobEvents, .jobResult, .livez, .readyz, .healthz, .metrics, .version, .openapi, .openapiJSON, .page, .docs, .pageFile:
            [.get, .head, .options]
        case .kserveServer, .kserveServerSlash, .kserveLive, .kserveReady, .kserveModel, .kserveModelReady, .kserveVersion, .kserveVersionReady,
            .kserveStatistics, .kserveModelStatistics, .kserveVersionStatistics:
            [.get, .head, .options]
        }
    }

    /// The `Allow` field.
    var allow: String { methods.map(\.rawValue).joined(separator: ", ") }

    /// The media types of a good answer, the one first that is given where the client does not mind.
    var mediaTypes: [String] {
        switch self {
        case .openapi: ["application/yaml"]
        case .page, .docs: ["text/html"]
        case .pageFile: ["text/javascript", "text/css", "image/svg+xml"]
        case .metrics: ["text/plain"]
        case .kserveInfer, .kserveVersionInfer: ["application/json", InferResponse.octets]
        case .jobEvents: ["text/event-stream"]
        case _ where hasForms: AnswerFormat.allCases.map(\.mediaType)
        default: ["application/json"]
        }
    }

    /// Whether it computes arrays, which can be had in every form.
    var answersArrays: Bool {
        switch self {
        case .kernels, .predictions, .dynamics, .spectra, .trainings, .regressorPredictions, .empiricalKernels, .networkOutputs, .convergence:
            true
        default: false
        }
    }

    /// Whether its answer can be had in every form.
    var hasForms: Bool { answersArrays || self == .jobResult }

    /// Whether its body is one of the Open Inference Protocol, whose clients often name no type.
    var takesInference: Bool { [.kserveInfer, .kserveVersionInfer, .kserveIndex].contains(self) }

    /// The media types of bodies that are read.
    var bodyTypes: [String] {
        switch self {
        case .networks: RequestBody.mediaTypes
        case .kserveInfer, .kserveVersionInfer, .kserveIndex: [RequestBody.json, InferResponse.octets]
        case .regressorPredictions: [RequestBody.json, RequestBody.multipart, RequestBody.npz, RequestBody.npy]
        default: [RequestBody.json, RequestBody.multipart, RequestBody.npz]
        }
    }

    /// Query parameters that mean something, each with its values; nil where it takes other values than a few words.
    var parameters: [String: [String]?] {
        switch self {
        case .kernels, .predictions, .dynamics, .spectra, .trainings, .regressorPredictions, .empiricalKernels, .networkOutputs, .convergence:
            ["format": AnswerFormat.allCases.map(\.rawValue), "estimate_only": ["true", "false"]]
        case .networks: ["limit": nil, "after": nil]
        case .regressors: ["limit": nil, "after": nil, "estimate_only": ["true", "false"]]
        case .jobs: ["limit": nil, "after": nil, "status": JobStatus.allCases.map(\.rawValue)]
        case .jobResult: ["format": AnswerFormat.allCases.map(\.rawValue)]
        default: [:]
        }
    }
}
