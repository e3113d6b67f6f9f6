package import LinearAlgebra
internal import Locks
internal import Synchronization

/// The owner of the cores: all numeric work runs on its threads, never on an event loop or the cooperative pool.
///
/// A piece of work starts on one worker. The tiles of its loops are shared with whichever workers have nothing of their own to start; a
/// helper looks for new work after every tile. Work that is more urgent than what runs does not wait for it: see `WorkQueue`; and whoever
/// works on a loop helps, between two of its tiles, with loops that are more urgent.
package final class ComputeExecutor: Sendable {
    /// Workers, that is, threads that compute at the same time.
    package let width: Int
    /// Threads that work on the tiles of one loop: a spare may have started it, and all workers help.
    package var loopWidth: Int { width + 1 }
    private let workers: Workers
    private let nextID = Atomic<UInt64>(0)

    package init(width: Int) {
        precondition(width > 0, "an executor has at least one worker")
        self.width = width
        // Enough for every priority to have all cores while those below it run; but Dispatch has 255 threads in all.
        let spares = min(width * (WorkPriority.allCases.count - 1), 64)
        workers = Workers(width: width, spares: spares)
    }

    deinit { workers.end() }

    /// Pieces of work that have not started.
    package var waitingCount: Int { workers.waitingCount }

    /// Pieces of work that have started and not ended.
    package var runningCount: Int { workers.runningCount }

    /// Runs `work` on a worker and waits for its result. When the calling task is cancelled, the work ends with `CancellationError` before
    /// its next tile, or never starts.
    /// - Parameter waitsForEnd: whether a cancelled task waits until the work has noticed; where not, the work keeps what it uses alive by itself.
    package func run<Result: Sendable>(
        priority: WorkPriority = .normal, waitsForEnd: Bool = true, _ work: @escaping @Sendable (any TileExecutor) throws -> Result
    ) async throws -> Result {
        let order = Order(id: nextID.wrappingAdd(1, ordering: .relaxed).oldValue, priority: priority)
        let first = FirstResume<Result>()
        @Sendable func cancel() {
            self.cancel(order)
            if !waitsForEnd { first.resume(with: .failure(CancellationError())) }
        }
        return try await withCancellableContinuation { continuation in
            first.wait(continuation)
            start(order, work) { first.resume(with: $0) }
            // Cancelled before it came to wait.
            if Task.isCancelled { cancel() }
        } onCancel: {
            cancel()
        }
    }

    /// Has `work` run on a worker, which then calls `completion`, and returns what cancels it.
    package func begin<Result: Sendable>(
        priority: WorkPriority, _ work: @escaping @Sendable (any TileExecutor) throws -> Result,
        completion: @escaping @Sendable (Swift.Result<Result, any Error>) -> Void
    ) -> @Sendable () -> Void {
        let order = Order(id: nextID.wrappingAdd(1, ordering: .relaxed).oldValue, priority: priority)
        start(order, work, completion)
        return { [self] in cancel(order) }
    }

    /// By what a piece of work is found again.
    private struct Order: Sendable {
        var id: UInt64
        var priority: WorkPriority
        let cancellation = Cancellation()
    }

    private func start<Result: Sendable>(
        _ order: Order, _ work: @escaping @Sendable (any TileExecutor) throws -> Result,
        _ completion: @escaping @Sendable (Swift.Result<Result, any Error>) -> Void
    ) {
        workers.start(
            WorkQueue.Piece(id: order.id, priority: order.priority) { [self] in
                completion(
                    Swift.Result {
                        try order.cancellation.check()
                        return try CurrentWork.asking({ order.cancellation.isCancelled }) {
                            try work(SharedTiles(workers: workers, priority: order.priority, cancellation: order.cancellation))
                        }
                    })
            })
    }

    private func cancel(_ order: Order) {
        order.cancellation.cancel()
        // What waits goes at once, with what it holds.
        workers.withdraw(order.id, order.priority)?.work()
    }
}

/// The tile executor that a piece of work is given.
private struct SharedTiles: TileExecutor {
    let workers: Workers
    let priority: WorkPriority
    let cancellation: Cancellation

    func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        try cancellation.check()
        let isCancelled: @Sendable () -> Bool = { [cancellation] in cancellation.isCancelled }
        if count == 1 { return try perform(isCancelled) { try body(0) } }
        guard count > 1 else { return }
        try workers.perform(
            TileLoop(count: count, priority: priority) { [self] tile in
                try cancellation.check()
                try perform(isCancelled) { try body(tile) }
            })
    }

    /// One tile, whose steps know whether they are cancelled. What is then left of it is dropped, be it a result or an error.
    private func perform(_ isCancelled: @escaping @Sendable () -> Bool, _ tile: () throws -> Void) throws {
        let result = Result { try CurrentWork.asking(isCancelled, tile) }
        try cancellation.check()
        try result.get()
    }
}
