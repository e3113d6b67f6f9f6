import Glibc
import Locks
import Synchronization

/// How far the server is with its life: what is asked by `/readyz`, and what has to be done before the process ends.
final class Lifecycle: Sendable {
    private let draining = Atomic(false)
    private let endings = Lock<[@Sendable () async -> Void]>([])

    /// From the first signal on: no new clients should be sent here.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func beginDraining() { draining.store(true, ordering: .relaxed) }

    /// Has `ending` called after the last connection has closed and before the process ends: to write down what must survive it.
    func beforeExit(_ ending: @escaping @Sendable () async -> Void) { endings.withLock { $0.append(ending) } }

    /// Calls them in the order in which they were given. Returns when they are done, or after `limit`: what they write must bear an end at any time.
    func end(within limit: Duration) async {
        let endings = endings.withLock { $0 }
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        Task {
            for ending in endings { await ending() }
            continuation.finish()
        }
        Task {
            try? await Task.sleep(for: limit)
            continuation.finish()
        }
        for await _ in stream {}
    }

    /// Ends the process after `limit`, whatever its threads do: by a thread of its own, which waits for none of them. What is stored bears that.
    static func endProcess(after limit: Duration) {
        var thread = pthread_t()
        let milliseconds = Int(min(max(limit / .milliseconds(1), 1), 1e15))
        _ = unsafe pthread_create(
            &thread, nil,
            { argument in
                let milliseconds = Int(bitPattern: argument)
                let end = ContinuousClock.now + .milliseconds(milliseconds)
                // A signal may end it early.
                while ContinuousClock.now < end { usleep(20_000) }
                _exit(0)
            }, UnsafeMutableRawPointer(bitPattern: milliseconds))
    }
}
