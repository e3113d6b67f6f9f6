package import Dispatch

/// A serial Dispatch queue as the executor of actors: whatever targets the queue (a DispatchSource, say) is isolated to those actors
/// without a lock or a hop. (`DispatchSerialQueue`, which is this on Apple's systems, does not exist on Linux.)
package final class EventLoop: SerialExecutor {
    package let queue: DispatchQueue

    package init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInteractive)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
