import ComputeExecutor
import ContentCoding
import HTTP1
import HTTPTypes
import Locks

/// Answers what a test says, behind the coding.
struct Within: HTTPResponder {
    var admission = Admission.accept(maximumBodyBytes: 1 << 26)
    var respond: @Sendable (ServerRequest) async -> ServerResponse

    func admit(_ request: inout ServerRequest) -> Admission { admission }
    func respond(to request: ServerRequest) async -> ServerResponse { await respond(request) }
    func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        ServerResponse(status: rejection.status, headerFields: [.contentType: "text/plain"], body: .bytes(Array(rejection.rule.utf8)))
    }

    func coding(
        memory: CountedMemory? = nil, _ change: (inout ContentCodingConfiguration) -> Void = { _ in }
    ) -> ContentCodingResponder<Within> {
        var configuration = ContentCodingConfiguration()
        change(&configuration)
        return ContentCodingResponder(self, executor: Self.executor, configuration: configuration, memory: memory)
    }

    /// The request's content back, as a text.
    static let echo = Within { ServerResponse(headerFields: [.contentType: "application/json"], body: .bytes($0.body)) }

    private static let executor = ComputeExecutor(width: 2)
}

func request(_ fields: HTTPFields = [:], method: HTTPRequest.Method = .get, body: [UInt8] = []) -> ServerRequest {
    ServerRequest(head: HTTPRequest(method: method, scheme: "http", authority: "h", path: "/", headerFields: fields), body: body)
}

extension ServerResponse {
    /// The whole content as it would be sent.
    func content() async throws -> [UInt8] {
        switch body {
        case .bytes(let bytes): return bytes
        case .stream(_, let next):
            var content: [UInt8] = []
            while let piece = try await next() {
                content += piece
            }
            return content
        case .pieces(_, let next):
            var content: [UInt8] = []
            while let piece = try next() { content += piece }
            return content
        }
    }

    var isGzip: Bool { headerFields[.contentEncoding] == "gzip" }
}

/// Numbers as JSON has them, which gzip halves.
func digits(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { index in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return index % 18 == 17 ? UInt8(ascii: ",") : 0x30 + UInt8((state >> 33) % 10)
    }
}

/// Memory of so many octets; who finds none is told to come again in seven seconds.
final class CountedMemory: BodyMemory {
    let largest: Int
    private let room: Int
    private let state = Lock(0)
    var taken: Int { state.withLock { $0 } }

    init(largest: Int, room: Int) {
        self.largest = largest
        self.room = room
    }

    private final class Octets: BodyLease {
        private let memory: CountedMemory
        private let count: Lock<Int>
        var bytes: Int { count.withLock { $0 } }

        init(_ memory: CountedMemory, _ count: Int) {
            self.memory = memory
            self.count = Lock(count)
        }

        func growNow(by bytes: Int) -> Bool {
            guard memory.take(bytes) else { return false }
            count.withLock { $0 += bytes }
            return true
        }

        func grow(by bytes: Int) async throws(HTTPRejection) -> Bool {
            guard growNow(by: bytes) else { throw CountedMemory.none }
            return true
        }

        func shrink(to bytes: Int) {
            let surplus = count.withLock { count in
                defer { count = min(count, bytes) }
                return count - min(count, bytes)
            }
            memory.state.withLock { $0 -= surplus }
        }

        func endGrowth() {}

        deinit { memory.state.withLock { $0 -= count.withLock { $0 } } }
    }

    private func take(_ bytes: Int) -> Bool {
        state.withLock { taken in
            guard taken + bytes <= room else { return false }
            taken += bytes
            return true
        }
    }

    func reserveNow(_ bytes: Int, growth: Int) -> Lease? { take(bytes) ? Octets(self, bytes) : nil }

    func reserve(_ bytes: Int, growth: Int) async throws(HTTPRejection) -> Lease? { throw Self.none }

    private static var none: HTTPRejection {
        var rejection = HTTPRejection.serviceUnavailable("No memory.", "RFC 9110 §15.6.4")
        rejection.retryAfterSeconds = 7
        return rejection
    }
}
