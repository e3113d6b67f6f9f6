import HTTP1
import HTTPTypes
import Locks

/// Answers by what a test says.
struct TestResponder: HTTPResponder {
    var admission: @Sendable (HTTPRequest) -> Admission = { _ in .accept(maximumBodyBytes: 1 << 26) }
    var respond: @Sendable (ServerRequest) async -> ServerResponse

    func admit(_ request: inout ServerRequest) -> Admission { admission(request.head) }
    func respond(to request: ServerRequest) async -> ServerResponse { await respond(request) }
    func answer(to rejection: HTTPRejection, _ head: HTTPRequest?, from remoteAddress: String) -> ServerResponse {
        ServerResponse(status: rejection.status, body: .bytes(Array("\(rejection.rule): \(rejection.detail)".utf8)))
    }
}

extension TestResponder {
    /// Method, path and body, back again.
    static let echo = TestResponder { request in
        ServerResponse(body: .bytes(Array("\(request.head.method) \(request.head.path ?? "") ".utf8) + request.body))
    }
}

/// Opens once; who waits before that, waits until then.
final class Gate: Sendable {
    private let state = Lock<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

final class Counter: Sendable {
    private let count = Lock(0)
    var value: Int { count.withLock { $0 } }
    @discardableResult
    func increment() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
