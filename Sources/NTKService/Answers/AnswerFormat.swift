internal import HTTP1
internal import HTTPTypes

/// The forms in which an answer can be had, in the order in which they are given where the client does not mind.
enum AnswerFormat: String, CaseIterable, Sendable {
    case json, npz, npy

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .npz: "application/x-npz"
        case .npy: "application/x-npy"
        }
    }

    /// The forms that a request accepts, the best first: `?format=`, else by `Accept`. Of equal qualities the one that is named more closely
    /// goes first.
    static func accepted(_ head: HTTPRequest, _ target: Target) -> [AnswerFormat] {
        if let format = target.parameter("format") { return AnswerFormat(rawValue: format).map { [$0] } ?? [] }
        guard let accept = head.headerFields.value(.accept) else { return [.json] }
        let ranked = allCases.enumerated().compactMap { order, format -> (format: AnswerFormat, quality: Double, specificity: Int, order: Int)? in
            guard let (quality, specificity) = MediaRange.quality(accept, format.mediaType), quality > 0 else { return nil }
            return (format, quality, specificity, order)
        }
        return ranked.sorted { ($0.quality, $0.specificity, -$0.order) > ($1.quality, $1.specificity, -$1.order) }.map(\.format)
    }
}

extension ProblemDetails {
    /// - Parameter types: what there is.
    static func notAcceptable(_ types: [String], _ head: HTTPRequest, _ target: Target) -> ProblemDetails {
        let asked = target.parameter("format").map { "format=\($0)" } ?? "Accept: \(head.headerFields[.accept] ?? "*/*")"
        return ProblemDetails(
            status: .notAcceptable, type: .notAcceptable, title: "No such representation",
            detail: "this resource is served as \(types.joined(separator: ", ")); \(asked) came", headerFields: [.vary: "Accept"])
    }
}
