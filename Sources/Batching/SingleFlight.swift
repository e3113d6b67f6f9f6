public import Locks

/// Computes equal requests in flight once: the first computes, those that come meanwhile get its result.
///
/// The first does so in its own task, which costs it no hop; if it is cancelled, or fails for a reason of its own, one of the others starts anew.
@usableFromInline
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline
    typealias Waiter = CheckedContinuation<Value?, any Error>

    @usableFromInline
    struct State {
        /// By key in flight: the requests that wait for its result.
        @usableFromInline
        var flights: [Key: [UInt64: Waiter]] = [:]
        var nextID: UInt64 = 0
    }

    @usableFromInline
    let state = Lock(State())
    @usableFromInline
    let isOwn: @Sendable (any Error) -> Bool

    /// - Parameter isOwn: whether an error is about the one call that computed, and says nothing to the others: one of them starts anew then, as
    ///   when that call was cancelled.
    package init(isOwn: @escaping @Sendable (any Error) -> Bool = { _ in false }) { self.isOwn = isOwn }

    /// The value of `make`, or of another call of it with an equal key that has not ended.
    @inlinable
    package func value(for key: Key, _ make: () async throws -> Value) async throws -> (value: Value, isShared: Bool) {
        while true {
            let isFirst = state.withLock { state in
                guard state.flights[key] == nil else { return false }
                state.flights[key] = [:]
                return true
            }
            if isFirst { return (try await lead(key, make), false) }
            if let value = try await follow(key) { return (value, true) }
            try Task.checkCancellation()
        }
    }

    @inlinable
    func lead(_ key: Key, _ make: () async throws -> Value) async throws -> Value {
        do {
            let value = try await make()
            for waiter in land(key) { waiter.resume(returning: value) }
            return value
        } catch {
            let saysNothing = error is CancellationError || Task.isCancelled || isOwn(error)
            for waiter in land(key) {
                if saysNothing { waiter.resume(returning: nil) } else { waiter.resume(throwing: error) }
            }
            throw error
        }
    }

    @inlinable
    func land(_ key: Key) -> [Waiter] { state.withLock { $0.flights.removeValue(forKey: key).map { Array($0.values) } ?? [] } }

    /// - Returns: nil if there is none any more.
    @usableFromInline
    func follow(_ key: Key) async throws -> Value? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withCancellableContinuation { waiter in
            let hasLanded = state.withLock { state in
                guard state.flights[key] != nil else { return true }
                state.flights[key]?[id] = waiter
                return false
            }
            if hasLanded { waiter.resume(returning: nil) }
            if Task.isCancelled { leave(key, id) }
        } onCancel: {
            leave(key, id)
        }
    }

    private func leave(_ key: Key, _ id: UInt64) {
        state.withLock { $0.flights[key]?.removeValue(forKey: id) }?.resume(throwing: CancellationError())
    }
}
