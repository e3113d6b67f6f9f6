internal import CSupport
public import Synchronization

/// A value behind a mutex.
///
/// It is `Synchronization.Mutex`, whose waiting on Linux is a system call that the thread sanitizer does not see: without a word to it, the
/// sanitizer would report a race wherever two threads have met at a lock.
///
/// Inlinable, which in a package type nothing is unless the type is `@usableFromInline`: no caller looks up at run time of what type its value is.
@usableFromInline
package struct Lock<Value>: ~Copyable, Sendable {
    /// An address of its own, by which the sanitizer knows the lock. The value's will not do: to take it is an access by itself.
    @usableFromInline
    package final class Identity: Sendable {
        @usableFromInline
        init() {}

        @usableFromInline
        func isTaken() { unsafe ntk_lock_taken(Unmanaged.passUnretained(self).toOpaque()) }

        @usableFromInline
        func isGivenBack() { unsafe ntk_lock_given_back(Unmanaged.passUnretained(self).toOpaque()) }
    }

    @usableFromInline
    let identity = Identity()
    @usableFromInline
    let mutex: Mutex<Value>

    @inlinable
    package init(_ value: sending Value) { mutex = Mutex(value) }

    @inlinable
    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        let identity = identity
        return try mutex.withLock { value throws(Failure) in
            identity.isTaken()
            defer { identity.isGivenBack() }
            return try body(&value)
        }
    }
}
