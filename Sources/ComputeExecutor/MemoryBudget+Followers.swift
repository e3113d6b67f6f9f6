internal import Locks

extension MemoryBudget {
    /// Requests that wait for what another one reserves memory for, with the bodies that they hold meanwhile: while that one waits, so do they.
    package final class Followers: Sendable {
        private let bodies = Lock<[UInt64: Int]>([:])

        package init() {}

        /// Bytes of their bodies.
        var held: Int { bodies.withLock { $0.values.reduce(0, +) } }

        fileprivate func insert(_ body: Lease) {
            let bytes = body.bodyBytes
            bodies.withLock { $0[body.id] = bytes }
        }

        /// A request goes on, or fails.
        package func remove(_ body: Lease) { bodies.withLock { _ = $0.removeValue(forKey: body.id) } }
    }

    /// A request waits from now on, with its body, for what another one reserves memory for.
    package func join(_ followers: Followers, with body: Lease) {
        followers.insert(body)
        // They may wait for each other now.
        grant()
    }
}
