package import Dispatch
import Synchronization

/// The executor of actors that share one serial queue: an event loop. Dispatch sources that target the queue run isolated to those actors.
///
/// Jobs wait in a list of their own rather than each in a block on the queue. So a source's handler, wrapped in `perform`, also runs the jobs that it
/// woke before it returns: the bytes that it was called for have been read when Dispatch arms the source again, which else would fire once more.
package final class DispatchExecutor: SerialExecutor {
    private struct Backlog {
        var jobs: [UnownedJob] = []
        /// Whether a drain is running, or waits on the queue.
        var isScheduled = false
    }

    /// After so many rounds a drain lets the queue's other work have its turn.
    private static let roundsPerDrain = 16

    package let queue: DispatchQueue
    private let backlog = Mutex(Backlog())
    private let mark = DispatchSpecificKey<Bool>()

    package init(label: String) {
        queue = DispatchQueue(label: label)
        queue.setSpecific(key: mark, value: true)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustSchedule = backlog.withLock { backlog in
            backlog.jobs.append(job)
            defer { backlog.isScheduled = true }
            return !backlog.isScheduled
        }
        if mustSchedule { queue.async { @Sendable in self.drain() } }
    }

    /// Runs `body`, and then the jobs that it made ready. To be called on the queue, from Dispatch handlers only.
    package func perform(_ body: () -> Void) {
        backlog.withLock { $0.isScheduled = true }
        body()
        drain()
    }

    private func drain() {
        var batch: [UnownedJob] = []
        for _ in 0..<Self.roundsPerDrain {
            batch.removeAll(keepingCapacity: true)
            let isEmpty = backlog.withLock { backlog in
                swap(&backlog.jobs, &batch)
                backlog.isScheduled = !batch.isEmpty
                return batch.isEmpty
            }
            if isEmpty { return }
            for job in batch {
                unsafe job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
        queue.async { @Sendable in self.drain() }
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    package func isIsolatingCurrentContext() -> Bool? {
        DispatchQueue.getSpecific(key: mark) == true
    }
}
