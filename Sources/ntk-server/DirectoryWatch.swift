import Dispatch
import Locks

/// Asks a data directory whether it can be written, on a thread of its own: a disk that does not answer holds up no request.
final class DirectoryWatch: Sendable {
    private struct State {
        var lastGood: ContinuousClock.Instant?
        /// When the attempt began that goes on.
        var since: ContinuousClock.Instant?
        var waiting: [CheckedContinuation<String?, Never>] = []
    }

    /// An answer from within this time is as good as a new one.
    private static let freshness = Duration.milliseconds(100)
    private static let patience = DispatchTimeInterval.seconds(2)
    private static let silence = "the data directory does not answer"

    private let directory: DataDirectory
    private let queue = DispatchQueue(label: "data directory")
    private let clock = DispatchQueue(label: "data directory, clock")
    private let state = Lock(State())

    init(_ directory: DataDirectory) { self.directory = directory }

    /// Why nothing can be stored now; nil if it can.
    func fault() async -> String? {
        let now = ContinuousClock.now
        if state.withLock({ state in state.lastGood.map { now - $0 < Self.freshness } ?? false }) { return nil }
        return await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(continuation)
                defer { state.since = state.since ?? now }
                return state.since == nil
            }
            clock.asyncAfter(deadline: .now() + Self.patience) { self.resumeAll(with: Self.silence, isAnswer: false) }
            if isFirst { queue.async { self.resumeAll(with: self.directory.fault(), isAnswer: true) } }
        }
    }

    /// - Parameter isAnswer: if false, only the requests that have waited long enough are answered.
    private func resumeAll(with fault: String?, isAnswer: Bool) {
        let waiting = state.withLock { state -> [CheckedContinuation<String?, Never>] in
            if isAnswer {
                state.since = nil
                state.lastGood = fault == nil ? .now : nil
            } else if state.since.map({ .now - $0 < .seconds(2) }) ?? true {
                // These were answered; those that wait now came later.
                return []
            }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: fault) }
    }
}
