internal import Locks

/// What was found damaged, by name, and how much that was since the start: for lists and metrics.
package final class DamageRegister: Sendable {
    private struct State {
        var found: [String: String] = [:]
        var count = 0
    }

    /// Names beyond these are counted only.
    private static let most = 100_000
    private let state = Lock(State())

    package init() {}

    /// - Parameter detail: what of it is damaged.
    package func report(_ name: String, _ detail: String) {
        state.withLock { state in
            // Once for each.
            if state.found[name] == nil { state.count += 1 }
            if state.found.count < Self.most { state.found[name] = detail }
        }
    }

    package func clear(_ name: String) { state.withLock { $0.found[name] = nil } }

    package subscript(_ name: String) -> String? { state.withLock { $0.found[name] } }

    /// What was found damaged since the start; what was made anew and damaged again counts again.
    package var count: Int { state.withLock { $0.count } }
}

/// Files that were read whole and found to be what was written.
package final class CheckedFiles: Sendable {
    private static let most = 100_000
    private let stamps = Lock<Set<FileStamp>>([])

    package init() {}

    package func contains(_ stamp: FileStamp) -> Bool { stamps.withLock { $0.contains(stamp) } }

    package func insert(_ stamp: FileStamp) {
        stamps.withLock { stamps in
            if stamps.count >= Self.most { stamps = [] }
            stamps.insert(stamp)
        }
    }
}
