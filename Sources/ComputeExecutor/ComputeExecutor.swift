internal import Dispatch
package import LinearAlgebra
internal import Locks

/// The owner of the cores: all numeric work runs on its workers, one a core, never on an event loop or the cooperative pool.
///
/// A piece of work starts on one worker. The tiles of its loops are shared with whichever workers have nothing of their own to start; a
/// helper looks for new work after every tile, so that a small request waits for one tile of a large one and not for its end.
package final class ComputeExecutor: Sendable {
    /// Workers, that is, threads that compute at the same time.
    package let width: Int
    private let queues: [DispatchQueue]
    private let state: Lock<State>

    private struct State {
        /// Work that has not started, first come first served.
        var waiting: [@Sendable () -> Void] = []
        /// Loops that have tiles left to hand out.
        var loops: [TileLoop] = []
        /// Workers whose queue is empty, by index.
        var idle: [Int]
    }

    package init(width: Int) {
        precondition(width > 0, "an executor has at least one worker")
        self.width = width
        queues = (0..<width).map { DispatchQueue(label: "compute.\($0)", qos: .userInitiated) }
        state = Lock(State(idle: Array((0..<width).reversed())))
    }

    /// Runs `work` on a worker and waits for its result. When the calling task is cancelled, the work ends with `CancellationError` before
    /// its next tile, or never starts.
    package func run<Result: Sendable>(_ work: @escaping @Sendable (any TileExecutor) throws -> Result) async throws -> Result {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                start {
                    do {
                        try cancellation.check()
                        continuation.resume(returning: try work(SharedTiles(executor: self, cancellation: cancellation)))
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    private func start(_ work: @escaping @Sendable () -> Void) {
        let worker = state.withLock { state in
            state.waiting.append(work)
            return state.idle.popLast()
        }
        if let worker { wake(worker) }
    }

    private func wake(_ worker: Int) {
        queues[worker].async { [self] in drain(worker) }
    }

    private enum Task {
        case start(@Sendable () -> Void)
        case help(TileLoop)
    }

    /// Works until there is nothing to do, then goes idle.
    private func drain(_ worker: Int) {
        while let task = next(for: worker) {
            switch task {
            case .start(let work): work()
            case .help(let loop): loop.run { hasWaitingWork }
            }
        }
    }

    private func next(for worker: Int) -> Task? {
        state.withLock { state in
            if !state.waiting.isEmpty { return .start(state.waiting.removeFirst()) }
            state.loops.removeAll { $0.isHandedOut }
            if let loop = state.loops.first { return .help(loop) }
            state.idle.append(worker)
            return nil
        }
    }

    private var hasWaitingWork: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Shares `loop` with idle workers, works on it, and returns when all its tiles have ended.
    fileprivate func perform(_ loop: TileLoop) throws {
        let helpers = state.withLock { state in
            state.loops.append(loop)
            let count = min(loop.count - 1, state.idle.count)
            defer { state.idle.removeLast(count) }
            return state.idle.suffix(count)
        }
        helpers.forEach(wake)
        loop.run { false }
        state.withLock { state in state.loops.removeAll { $0 === loop } }
        try loop.wait()
    }
}

/// The tile executor that a piece of work is given.
private struct SharedTiles: TileExecutor {
    let executor: ComputeExecutor
    let cancellation: Cancellation

    func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        try cancellation.check()
        if count == 1 { return try body(0) }
        guard count > 1 else { return }
        try executor.perform(
            TileLoop(count: count) { [cancellation] tile in
                try cancellation.check()
                try body(tile)
            })
    }
}
