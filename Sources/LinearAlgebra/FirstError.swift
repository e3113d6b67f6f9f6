internal import Locks

/// Keeps the first error of tiles that run at the same time.
package final class FirstError: Sendable {
    private let error = Lock<(any Error)?>(nil)

    package init() {}

    package var isSet: Bool { error.withLock { $0 != nil } }

    package func set(_ new: any Error) {
        error.withLock { if $0 == nil { $0 = new } }
    }

    package func rethrow() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}
