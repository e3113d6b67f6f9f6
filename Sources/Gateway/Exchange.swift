internal import HTTP1
internal import HTTPTypes
internal import Metrics
internal import NTKService
internal import Synchronization

/// One request and what becomes of it: for the log and the counters.
struct Exchange: Sendable {
    let start = ContinuousClock.now
    let method: HTTPRequest.Method?
    /// What was asked for, if there is such a thing.
    let resource: Resource?
    /// Without the query, which may hold anything.
    let path: String
    let remoteAddress: String
    let userAgent: String?
    let trace: TraceParent?
    let requestBytes: Int
    let keyName: String?

    init(_ request: ServerRequest, _ resource: Resource?) {
        self.init(request.head, resource, from: request.remoteAddress, requestBytes: request.body.count, keyName: request.keyName)
    }

    /// - Parameter head: nil if none was complete.
    init(_ head: HTTPRequest?, _ resource: Resource?, from remoteAddress: String, requestBytes: Int = 0, keyName: String? = nil) {
        method = head?.method
        self.resource = resource
        self.keyName = keyName
        path = Self.logged(head?.path ?? "")
        userAgent = head?.headerFields.value(.userAgent).map { $0.utf8.count <= 256 ? $0 : String(decoding: $0.utf8.prefix(256), as: UTF8.self) }
        trace = head?.headerFields.value(Self.traceparent).flatMap(TraceParent.init)
        self.remoteAddress = remoteAddress
        self.requestBytes = requestBytes
    }

    private static func logged(_ path: String) -> String {
        let end = path.utf8.firstIndex(of: UInt8(ascii: "?"))
        if end == nil, path.utf8.count <= 256 { return path }
        return String(decoding: path.utf8[..<(end ?? path.utf8.endIndex)].prefix(256), as: UTF8.self)
    }

    /// The route's template as it is written in this program.
    var routeLabel: LabelValue { resource?.label ?? LabelValue("none") }

    private static let traceparent = HTTPField.Name("traceparent") ?? .via
}

/// The content of an answer that is made as it is sent: counts it, and says once when it has ended, or was left.
final class AnswerWatch: Sendable {
    private let sent = Atomic(0)
    private let hasEnded = Atomic(false)
    private let onEnd: @Sendable (_ bytes: Int, _ isWhole: Bool) -> Void

    init(_ onEnd: @escaping @Sendable (_ bytes: Int, _ isWhole: Bool) -> Void) { self.onEnd = onEnd }

    /// The next piece of the content, nil after the last.
    func watched(_ piece: [UInt8]?) -> [UInt8]? {
        if let piece { sent.wrappingAdd(piece.count, ordering: .relaxed) } else { end(isWhole: true) }
        return piece
    }

    private func end(isWhole: Bool) {
        guard hasEnded.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        onEnd(sent.load(ordering: .relaxed), isWhole)
    }

    // A stream that is not asked for more is let go of.
    deinit { end(isWhole: false) }
}
