internal import Locks

/// A batch that computes, for as long as one of its members waits for it.
@usableFromInline
final class RunningBatch: Sendable {
    private let state: Lock<(members: Int, attempt: Int, cancel: (@Sendable () -> Void)?)>

    @usableFromInline
    init(members: Int) { state = Lock((members, 0, nil)) }

    /// - Parameter begin: begins a computation and returns what ends it. By then it may have ended, and another have begun.
    @usableFromInline
    func start(_ begin: () -> @Sendable () -> Void) {
        let attempt = state.withLock { state in
            state.attempt += 1
            return state.attempt
        }
        let cancel = begin()
        let isDeserted = state.withLock { state in
            guard state.attempt == attempt else { return false }
            state.cancel = cancel
            return state.members == 0
        }
        if isDeserted { cancel() }
    }

    @usableFromInline
    func memberLeft() {
        let cancel = state.withLock { state in
            state.members -= 1
            return state.members == 0 ? state.cancel : nil
        }
        cancel?()
    }
}
