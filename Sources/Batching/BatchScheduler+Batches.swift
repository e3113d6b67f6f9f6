public import Locks

// How batches start and end.
extension BatchScheduler {
    /// Starts what may start.
    @usableFromInline
    func advance() {
        while true {
            let now = ContinuousClock.now
            let (batch, wakeAt) = state.withLock { state -> ((Queue.Batch, RunningBatch)?, ContinuousClock.Instant?) in
                let isIdle = state.runningCount == 0
                let (running, count) = (state.running, state.runningCount)
                let mayStart = { [lanes] (key: Key) in count < lanes.all && (running[key] ?? 0) < lanes.key }
                let batch = state.queue.next(now: now, isIdle: isIdle, mayStart: mayStart)
                guard let batch else {
                    // What may start, but for its delay, starts then; what may not when a batch ends.
                    guard state.queue.limits.delay > .zero, let due = state.queue.nextDue(mayStart: mayStart), due > now,
                        state.timer.map({ due < $0 }) ?? true
                    else { return (nil, nil) }
                    state.timer = due
                    return (nil, due)
                }
                state.begin(batch.key, batch.weight)
                state.comeTogether = batch.entries.count > 1 || state.queue.count > 0
                let members = RunningBatch(members: batch.entries.count)
                for entry in batch.entries { state.batches[entry.id] = members }
                return ((batch, members), nil)
            }
            if let wakeAt { wake(at: wakeAt) }
            guard let (batch, members) = batch else { return }
            reportQueue()
            events.report(.started(weight: batch.weight, delays: batch.entries.map { now - $0.arrival }))
            members.start { compute(batch.key, batch.entries.map(\.item)) { [self] in finish(batch, members, now, $0) } }
        }
    }

    private func wake(at instant: ContinuousClock.Instant) {
        Task { [self] in
            try await Task.sleep(until: instant)
            state.withLock { if $0.timer == instant { $0.timer = nil } }
            advance()
        }
    }

    private func finish(
        _ batch: Queue.Batch, _ members: RunningBatch, _ start: ContinuousClock.Instant, _ result: Result<[Output], any Error>
    ) {
        switch result {
        case .success(let outputs):
            precondition(outputs.count == batch.entries.count, "one output for each item")
            deliver(zip(batch.entries, outputs).map { ($0.id, .success($1)) })
        case .failure(let error):
            // One of them is to blame, and the others are not.
            guard batch.entries.count == 1 || error is CancellationError else { return retry(batch, from: 0, members, start) }
            deliver(batch.entries.map { ($0.id, .failure(error)) })
        }
        end(batch.key, batch.weight, start)
        advance()
    }

    /// Computes the members that are still waited for, from one of them on, each by itself.
    private func retry(_ batch: Queue.Batch, from first: Int, _ members: RunningBatch, _ start: ContinuousClock.Instant) {
        let next = state.withLock { state in batch.entries.indices.dropFirst(first).first { state.waiters[batch.entries[$0].id] != nil } }
        guard let next else {
            end(batch.key, batch.weight, start)
            return advance()
        }
        let entry = batch.entries[next]
        members.start {
            compute(batch.key, [entry.item]) { [self] result in
                deliver([(entry.id, result.flatMap { outputs in Result { try Self.only(outputs) } })])
                retry(batch, from: next + 1, members, start)
            }
        }
    }

    private func deliver(_ results: [(id: UInt64, result: Result<Output, any Error>)]) {
        let waiters = state.withLock { state in
            results.map { one in
                state.batches[one.id] = nil
                return state.waiters.removeValue(forKey: one.id)
            }
        }
        for (waiter, one) in zip(waiters, results) { waiter?.resume(with: one.result) }
    }

    /// A batch ends.
    /// - Returns: whether requests wait.
    @inlinable
    @discardableResult
    func end(_ key: Key, _ weight: Int, _ start: ContinuousClock.Instant) -> Bool {
        let duration = ContinuousClock.now - start
        let othersWait = state.withLock { state in
            state.end(key, weight, after: duration)
            return state.queue.count > 0
        }
        events.report(.ended(after: duration))
        return othersWait
    }

    func reportQueue() {
        let (items, bytes) = state.withLock { ($0.queue.count, $0.queue.bytes) }
        events.report(.queue(items: items, bytes: bytes))
    }

    /// Requests and bytes that wait now.
    package var waiting: (items: Int, bytes: Int) { state.withLock { ($0.queue.count, $0.queue.bytes) } }
}
