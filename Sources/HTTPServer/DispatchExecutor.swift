package import Dispatch

/// The executor of actors that share one serial queue: an event loop. Handlers of Dispatch sources that target the queue are isolated to those
/// actors, and may enter them by `assumeIsolated`.
package final class DispatchExecutor: SerialExecutor {
    package let queue: DispatchQueue
    private let mark = DispatchSpecificKey<Bool>()

    package init(label: String) {
        queue = DispatchQueue(label: label)
        queue.setSpecific(key: mark, value: true)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { @Sendable in
            unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    /// Lets a task that an isolated handler starts by `Task.immediate` run there and then.
    package func isIsolatingCurrentContext() -> Bool? {
        DispatchQueue.getSpecific(key: mark) == true
    }
}
