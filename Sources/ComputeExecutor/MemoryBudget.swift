internal import Locks

/// The memory that all requests together may take: what does not fit now waits in order, in bounded number and time.
///
/// Small reservations have a part of their own, so that they neither wait for large ones nor keep them waiting forever.
package final class MemoryBudget: Sendable {
    /// Bytes in all.
    package let total: Int
    /// Bytes of the part for small reservations, and how many one of those may have.
    private let small: (total: Int, each: Int)
    private let mostWaiting: Int
    private let patience: Duration
    private let state = Lock(State())

    private struct State {
        /// For small reservations, and for all others.
        var parts = [BudgetPart(), BudgetPart()]
        var rejections = 0
        var nextID: UInt64 = 0
        /// Seconds for which a reservation is held, a running mean.
        var holding = 1.0

        var used: Int { parts.reduce(0) { $0 + $1.used } }
        var waiting: Int { parts.reduce(0) { $0 + $1.waiting.count } }
        var waitingBytes: Int { parts.reduce(0) { $0 + $1.waitingBytes } }
    }

    /// What a budget is used for now.
    package struct Usage: Sendable, Equatable {
        package var total: Int
        package var used: Int
        package var waiting: Int
        package var waitingBytes: Int
        /// Reservations that were refused since the start.
        package var rejections: Int

        /// Whether something waits for memory.
        package var isOver: Bool { waiting > 0 }
    }

    /// There is no memory for a request now, and enough others wait for some.
    package struct Exhausted: Error, Sendable, Equatable {
        /// When to come again.
        package var retryAfterSeconds: Int
    }

    /// Bytes that belong to a request until this is gone.
    package final class Lease: Sendable {
        private let budget: MemoryBudget
        package let bytes: Int
        private let start = ContinuousClock.now

        fileprivate init(_ budget: MemoryBudget, _ bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit { budget.release(bytes, after: ContinuousClock.now - start) }
    }

    /// - Parameters:
    ///   - waiting: reservations that may wait.
    ///   - patience: how long one may wait.
    package init(bytes: Int, waiting: Int = 256, patience: Duration = .seconds(30)) {
        precondition(bytes > 0, "a budget has at least one byte")
        total = bytes
        small = (bytes / 16, bytes / 256)
        mostWaiting = waiting
        self.patience = patience
    }

    /// The largest reservation that can ever be had.
    package var largest: Int { total - small.total }

    package var usage: Usage {
        state.withLock { state in
            Usage(total: total, used: state.used, waiting: state.waiting, waitingBytes: state.waitingBytes, rejections: state.rejections)
        }
    }

    /// Bytes if they are there without a wait.
    package func reserveNow(_ bytes: Int) -> Lease? {
        let part = part(bytes)
        return state.withLock { $0.parts[part].take(bytes, of: limit(bytes)) } ? Lease(self, bytes) : nil
    }

    /// Bytes as soon as they are there.
    /// - Throws: `Exhausted`, at once or when it has waited too long; `CancellationError`.
    package func reserve(_ bytes: Int) async throws -> Lease {
        if let lease = reserveNow(bytes) { return lease }
        guard bytes <= largest else { throw exhausted(bytes) }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let part = part(bytes)
        return try await withTaskCancellationHandler {
            let timer = Task { [self] in
                try await Task.sleep(for: patience)
                end(id, part, with: .failure(exhausted(bytes)))
            }
            defer { timer.cancel() }
            return try await withCheckedThrowingContinuation { continuation in wait(id, bytes, part, continuation) }
        } onCancel: {
            end(id, part, with: .failure(CancellationError()))
        }
    }

    private func wait(_ id: UInt64, _ bytes: Int, _ part: Int, _ continuation: CheckedContinuation<Lease, any Error>) {
        let isFull = state.withLock { state in
            if state.waiting >= mostWaiting { return true }
            state.parts[part].waiting.append(.init(id: id, bytes: bytes, continuation: continuation))
            return false
        }
        if isFull { continuation.resume(throwing: exhausted(bytes)) }
        // Cancelled before it came to wait.
        if Task.isCancelled { end(id, part, with: .failure(CancellationError())) }
        grant(part)
    }

    private func end(_ id: UInt64, _ part: Int, with result: Result<Lease, any Error>) {
        state.withLock { $0.parts[part].remove(id) }?.resume(with: result)
        // Those behind it may fit.
        grant(part)
    }

    private func release(_ bytes: Int, after duration: Duration) {
        let part = part(bytes)
        state.withLock { state in
            state.parts[part].used -= bytes
            let (seconds, attoseconds) = duration.components
            state.holding = 0.9 * state.holding + 0.1 * (Double(seconds) + Double(attoseconds) * 1e-18)
        }
        grant(part)
    }

    /// Gives those who wait what there is, in order.
    private func grant(_ part: Int) {
        let limit = part == 0 ? small.total : largest
        while let next = state.withLock({ $0.parts[part].grant(of: limit) }) {
            next.continuation.resume(returning: Lease(self, next.bytes))
        }
    }

    private func part(_ bytes: Int) -> Int { bytes <= small.each ? 0 : 1 }

    private func limit(_ bytes: Int) -> Int { bytes <= small.each ? small.total : largest }

    /// As long as what is before it is likely to hold its memory.
    private func exhausted(_ bytes: Int) -> Exhausted {
        state.withLock { state in
            state.rejections += 1
            let before = Double(state.waitingBytes) + Double(state.used) + Double(min(bytes, total))
            return Exhausted(retryAfterSeconds: Int(min(max((state.holding * before / Double(total)).rounded(.up), 1), 60)))
        }
    }
}

/// One part of a budget, and who waits for it.
private struct BudgetPart {
    struct Waiter {
        var id: UInt64
        var bytes: Int
        var continuation: CheckedContinuation<MemoryBudget.Lease, any Error>
    }

    var used = 0
    var waiting: [Waiter] = []
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.bytes } }

    /// Nobody overtakes who waits.
    mutating func take(_ bytes: Int, of limit: Int) -> Bool {
        guard waiting.isEmpty, bytes <= limit - used else { return false }
        used += bytes
        return true
    }

    mutating func grant(of limit: Int) -> Waiter? {
        guard let first = waiting.first, first.bytes <= limit - used else { return nil }
        used += first.bytes
        return waiting.removeFirst()
    }

    mutating func remove(_ id: UInt64) -> CheckedContinuation<MemoryBudget.Lease, any Error>? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).continuation
    }
}
