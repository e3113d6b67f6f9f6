/// Waits for a continuation that `begin` is given, and has `cancel` called if the task is cancelled meanwhile.
///
/// All of it is done where the caller is. A wait written inside `withTaskCancellationHandler` is not: the handler's operation is isolated to
/// nobody unless it captures an isolation, so that an event loop would hand the task to the cooperative pool, two wakes of a thread, before it
/// waits.
@inlinable
package func withCancellableContinuation<Value: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ begin: (CheckedContinuation<Value, any Error>) -> Void,
    onCancel cancel: @Sendable () -> Void
) async throws -> Value {
    try await withTaskCancellationHandler {
        _ = isolation
        return try await withCheckedThrowingContinuation(isolation: isolation, begin)
    } onCancel: {
        cancel()
    }
}

/// A continuation that is resumed by whoever comes first: the end of what is waited for, or a cancellation.
@usableFromInline
package final class FirstResume<Value: Sendable>: Sendable {
    private let waiting = Lock<CheckedContinuation<Value, any Error>?>(nil)

    @usableFromInline
    package init() {}

    /// To be called before anything can resume it.
    @usableFromInline
    package func wait(_ continuation: CheckedContinuation<Value, any Error>) { waiting.withLock { $0 = continuation } }

    @usableFromInline
    package func resume(with result: Result<Value, any Error>) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(with: result)
    }
}
