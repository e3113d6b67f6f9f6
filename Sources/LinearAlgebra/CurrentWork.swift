private import Glibc

/// What long steps within a tile ask, far from the executor that runs it.
///
/// Work is synchronous and a thread works on one tile at a time, so that what belongs to the tile is kept with the thread. A task-local value
/// would not do: the threads of workers are not in a task.
public enum CurrentWork {
    private final class Question: Sendable {
        let isCancelled: @Sendable () -> Bool
        init(_ isCancelled: @escaping @Sendable () -> Bool) { self.isCancelled = isCancelled }
    }

    /// Of the question that the thread's tile answers to; nil if the system has no key left, and then nothing is asked.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return unsafe pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Has steps within `work` ask `isCancelled`. Executors do so around each tile whose work can be cancelled.
    public static func asking<Result>(_ isCancelled: @escaping @Sendable () -> Bool, _ work: () throws -> Result) rethrows -> Result {
        guard let key else { return try work() }
        let question = Question(isCancelled)
        let before = unsafe pthread_getspecific(key)
        _ = unsafe pthread_setspecific(key, Unmanaged.passUnretained(question).toOpaque())
        defer {
            _ = unsafe pthread_setspecific(key, before)
            withExtendedLifetime(question) {}
        }
        return try work()
    }

    /// Whether this thread works for an executor, and so may take its time.
    public static var isUnderWay: Bool { key.map { unsafe pthread_getspecific($0) != nil } ?? false }

    /// Whether nobody waits for the tile that this thread works on: it may then leave any result, which its executor drops.
    public static var isCancelled: Bool {
        guard let key, let question = unsafe pthread_getspecific(key) else { return false }
        return unsafe Unmanaged<Question>.fromOpaque(question).takeUnretainedValue().isCancelled()
    }
}
