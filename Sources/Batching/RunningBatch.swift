internal import Locks

/// A batch that computes, for as long as one of its members waits for it.
final class RunningBatch: Sendable {
    private let state: Lock<(members: Int, cancel: (@Sendable () -> Void)?)>

    init(members: Int) { state = Lock((members, nil)) }

    /// - Parameter cancel: what ends the computation that has just begun.
    func started(_ cancel: @escaping @Sendable () -> Void) {
        let isDeserted = state.withLock { state in
            state.cancel = cancel
            return state.members == 0
        }
        if isDeserted { cancel() }
    }

    func memberLeft() {
        let cancel = state.withLock { state in
            state.members -= 1
            return state.members == 0 ? state.cancel : nil
        }
        cancel?()
    }
}
