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
