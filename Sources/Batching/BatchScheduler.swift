public import Locks

/// Computes together what waits together.
///
/// A request that meets nothing else of its kind is computed at once. What comes while batches of its key compute waits, and goes as one batch
/// when there is room; where requests have come together lately, the first of the next ones waits for those that came with it. A batch that
/// fails is computed again, once, member by member, so that only the guilty one fails. A request whose task is cancelled leaves the queue; a
/// batch whose members have all gone is cancelled.
///
/// What a lone request passes is inlinable, so that it is compiled for the types of its caller and finds out nothing at run time.
@usableFromInline
package final class BatchScheduler<Key: Hashable & Sendable, Item: Sendable, Output: Sendable>: Sendable {
    @usableFromInline
    package typealias Queue = BatchQueue<Key, Item>
    /// Begins to compute a whole batch, and calls the last argument once with one output for each item, in order. It returns what ends the
    /// computation when all its requests are cancelled.
    @usableFromInline
    package typealias Compute = @Sendable (Key, [Item], @escaping @Sendable (Result<[Output], any Error>) -> Void) -> @Sendable () -> Void

    /// Batches of one key, and of all keys, that may compute at the same time.
    @usableFromInline
    let lanes: (key: Int, all: Int)
    @usableFromInline
    let compute: Compute
    @usableFromInline
    let events: BatchEvents
    @usableFromInline
    let state: Lock<State>

    @usableFromInline
    struct State {
        @usableFromInline
        var queue: Queue
        var waiters: [UInt64: CheckedContinuation<Output, any Error>] = [:]
        /// Of each request that is computed in a batch, the batch.
        var batches: [UInt64: RunningBatch] = [:]
        @usableFromInline
        var running: [Key: Int] = [:]
        @usableFromInline
        var runningCount = 0
        @usableFromInline
        var runningWeight = 0
        var nextID: UInt64 = 0
        /// Weight a second, a running mean.
        @usableFromInline
        var throughput: Double?
        /// When the next look at the queue is due.
        var timer: ContinuousClock.Instant?
        /// Whether the last batch had several requests, or others came while it was computed.
        @usableFromInline
        var comeTogether = false
        /// The first of those that come together now waits for the others.
        var isGathering = false

        /// Whether there is room for another batch of a key.
        @inlinable
        func mayStart(_ key: Key, _ lanes: (key: Int, all: Int)) -> Bool {
            runningCount < lanes.all && (running[key] ?? 0) < lanes.key
        }

        @inlinable
        mutating func begin(_ key: Key, _ weight: Int) {
            running[key, default: 0] += 1
            runningCount += 1
            runningWeight += weight
        }

        @inlinable
        mutating func end(_ key: Key, _ weight: Int, after duration: Duration) {
            running[key] = (running[key] ?? 1) == 1 ? nil : running[key].map { $0 - 1 }
            runningCount -= 1
            runningWeight -= weight
            let rate = Double(weight) / max(duration / .seconds(1), 1e-6)
            throughput = throughput.map { 0.8 * $0 + 0.2 * rate } ?? rate
        }

        /// Seconds until what is before a request that comes now is done, and the request itself.
        func expectedSeconds(_ weight: Int) -> Double {
            throughput.map { Double(queue.weight + runningWeight + weight) / $0 } ?? 0
        }
    }

    package init(
        limits: BatchLimits, lanes: (key: Int, all: Int), events: BatchEvents = BatchEvents(), compute: @escaping Compute
    ) {
        precondition(lanes.key > 0 && lanes.all > 0)
        self.lanes = lanes
        self.events = events
        self.compute = compute
        state = Lock(State(queue: Queue(limits: limits)))
    }

    /// The output for one item.
    /// - Parameters:
    ///   - weight: what it adds to a batch.
    ///   - bytes: what it holds while it waits.
    ///   - seconds: the time that it has.
    /// - Throws: `BatchRejection`; what `compute` throws; `CancellationError`.
    @inlinable
    package func submit(
        _ item: Item, key: Key, weight: Int, bytes: Int, within seconds: Double? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Output {
        let startsNow = state.withLock { state in
            guard !state.comeTogether, state.queue.isEmpty(key), state.mayStart(key, lanes) else { return false }
            state.begin(key, weight)
            return true
        }
        guard startsNow else { return try await wait(item, key, weight, bytes, seconds) }
        events.report(.started(weight: weight, delays: [.zero]))
        let start = ContinuousClock.now
        let running = RunningBatch(members: 1)
        let first = FirstResume<Output>()
        return try await withCancellableContinuation { continuation in
            first.wait(continuation)
            running.start {
                compute(key, [item]) { [self] result in
                    let othersWait = end(key, weight, start)
                    first.resume(with: result.flatMap { outputs in Result { try Self.only(outputs) } })
                    if othersWait { advance() }
                }
            }
        } onCancel: {
            events.report(.cancelled(whileRunning: true))
            running.memberLeft()
            // The batch ends before its next tile; the request does not wait for that.
            first.resume(with: .failure(CancellationError()))
        }
    }

    @inlinable
    static func only(_ outputs: [Output]) throws -> Output {
        guard let output = outputs.first else { throw CancellationError() }
        return output
    }

    // MARK: Waiting

    @usableFromInline
    func wait(
        _ item: Item, _ key: Key, _ weight: Int, _ bytes: Int, _ seconds: Double?, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Output {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withCancellableContinuation { continuation in
            let entry = Queue.Entry(id: id, item: item, weight: weight, bytes: bytes, arrival: .now)
            let (rejection, gathers) = state.withLock { state -> (BatchRejection?, Bool) in
                if let rejection = Self.rejection(entry, state, seconds) { return (rejection, false) }
                state.queue.add(entry, key: key)
                state.waiters[id] = continuation
                guard state.mayStart(key, lanes) else {
                    state.comeTogether = true
                    return (nil, false)
                }
                defer { state.isGathering = true }
                return (nil, !state.isGathering)
            }
            if let rejection {
                events.report(.rejected(rejection))
                return continuation.resume(throwing: rejection)
            }
            // Cancelled before it came to wait.
            if Task.isCancelled { leave(id, key) }
            guard gathers else { return }
            // Behind what the caller's executor has to do already, such as the requests that came with this one.
            Task {
                _ = isolation
                state.withLock { $0.isGathering = false }
                advance()
            }
        } onCancel: {
            leave(id, key)
        }
    }

    private static func rejection(_ entry: Queue.Entry, _ state: borrowing State, _ seconds: Double?) -> BatchRejection? {
        let expected = state.expectedSeconds(entry.weight)
        let retryAfter = Int(min(max(expected.rounded(.up), 1), 60))
        let room = state.queue.hasRoom(bytes: entry.bytes)
        if !room.items { return .tooManyItems(retryAfterSeconds: retryAfter) }
        if !room.bytes { return .tooManyBytes(retryAfterSeconds: retryAfter) }
        if let seconds, expected > seconds { return .deadline(expectedSeconds: expected) }
        return nil
    }

    /// A client has gone.
    private func leave(_ id: UInt64, _ key: Key) {
        let (waiter, batch) = state.withLock { state in
            _ = state.queue.remove(id, key: key)
            return (state.waiters.removeValue(forKey: id), state.batches.removeValue(forKey: id))
        }
        guard let waiter else { return }
        events.report(.cancelled(whileRunning: batch != nil))
        batch?.memberLeft()
        waiter.resume(throwing: CancellationError())
        reportQueue()
    }
}
