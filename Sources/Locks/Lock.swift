internal import CThreadSanitizer
internal import Synchronization

/// A value behind a mutex.
///
/// It is `Synchronization.Mutex`, whose waiting on Linux is a system call that the thread sanitizer does not see: without a word to it, the
/// sanitizer would report a race wherever two threads have met at a lock.
package struct Lock<Value>: ~Copyable, Sendable {
    /// An address of its own, by which the sanitizer knows the lock. The value's will not do: to take it is an access by itself.
    private final class Identity: Sendable {}

    private let identity = Identity()
    private let mutex: Mutex<Value>

    package init(_ value: sending Value) { mutex = Mutex(value) }

    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        let identity = unsafe Unmanaged.passUnretained(identity).toOpaque()
        return try mutex.withLock { value throws(Failure) in
            unsafe ntk_lock_taken(identity)
            defer { unsafe ntk_lock_given_back(identity) }
            return try body(&value)
        }
    }
}
