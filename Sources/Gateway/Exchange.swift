internal import HTTP1
internal import HTTPTypes
internal import Metrics
internal import NTKService
internal import Synchronization

/// One request and what becomes of it: for the log and the counters.
struct Exchange: Sendable {
    let start = ContinuousClock.now
    let method: HTTPRequest.Method?
    let route: Route?
    /// Without the query, which may hold anything.
    let path: String
    let remoteAddress: String
    let userAgent: String?
    let trace: TraceParent?
    let requestBytes: Int
    var keyName: String?

    /// - Parameter head: nil if none was complete.
    init(_ head: HTTPRequest?, from remoteAddress: String, requestBytes: Int = 0) {
        method = head?.method
        route = head.flatMap(Route.of)
        path = String(decoding: (head?.path ?? "").utf8.prefix(256).prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
        userAgent = head?.headerFields[.userAgent].map { $0.utf8.count <= 256 ? $0 : String(decoding: $0.utf8.prefix(256), as: UTF8.self) }
        trace = head?.headerFields[Self.traceparent].flatMap(TraceParent.init)
        self.remoteAddress = remoteAddress
        self.requestBytes = requestBytes
    }

    /// The route's template as it is written in this program.
    var routeLabel: LabelValue { route.map { LabelValue($0) } ?? LabelValue("none") }

    private static let traceparent = HTTPField.Name("traceparent") ?? .via
}

/// The content of an answer on its way: counts it, and says once when it has ended, or was left.
final class AnswerWatch: Sendable {
    private let sent = Atomic(0)
    private let hasEnded = Atomic(false)
    private let onEnd: @Sendable (_ bytes: Int, _ isWhole: Bool) -> Void

    init(_ onEnd: @escaping @Sendable (_ bytes: Int, _ isWhole: Bool) -> Void) { self.onEnd = onEnd }

    /// The same content, watched.
    func watched(_ body: ResponseBody) -> ResponseBody {
        switch body {
        case .bytes(let bytes):
            count(bytes.count)
            end(isWhole: true)
            return body
        case .stream(let length, let next):
            return .stream(length: length) { [self] in
                guard let piece = try await next() else {
                    end(isWhole: true)
                    return nil
                }
                count(piece.count)
                return piece
            }
        }
    }

    func end(isWhole: Bool) {
        guard hasEnded.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        onEnd(sent.load(ordering: .relaxed), isWhole)
    }

    private func count(_ bytes: Int) { sent.wrappingAdd(bytes, ordering: .relaxed) }

    // A stream that is not asked for more is let go of.
    deinit { end(isWhole: false) }
}
