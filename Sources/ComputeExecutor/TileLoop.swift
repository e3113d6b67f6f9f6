internal import Dispatch
internal import LinearAlgebra
internal import Synchronization

/// One parallel loop: hands out its tiles to the workers that come, and knows when the last has ended.
final class TileLoop: Sendable {
    let count: Int
    let priority: WorkPriority
    private let body: @Sendable (Int) throws -> Void
    private let next = Atomic<Int>(0)
    private let helpers = Atomic<Int>(0)
    private let left: Atomic<Int>
    private let failure = FirstError()
    private let done = DispatchSemaphore(value: 0)

    init(count: Int, priority: WorkPriority, body: @escaping @Sendable (Int) throws -> Void) {
        self.count = count
        self.priority = priority
        self.body = body
        left = Atomic(count)
    }

    /// Whether every tile has been taken by some worker.
    var isHandedOut: Bool { next.load(ordering: .relaxed) >= count }

    /// `run` for a thread that did not begin the loop; at most `most` of these at a time.
    func help(most: Int, leave: () -> Bool) {
        defer { helpers.subtract(1, ordering: .relaxed) }
        guard helpers.wrappingAdd(1, ordering: .relaxed).newValue <= most else { return }
        run(leave: leave)
    }

    /// Takes tiles one after another until there are none, or `leave` says after a tile that there is better to do.
    func run(leave: () -> Bool) {
        repeat {
            let tile = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard tile < count else { return }
            do {
                try body(tile)
            } catch {
                failure.set(error)
                // The tiles that are left are not taken.
                let taken = next.exchange(count, ordering: .relaxed)
                if taken < count { end(count - taken) }
            }
            end(1)
        } while !leave()
    }

    private func end(_ tiles: Int) {
        // Releases what the tiles wrote to the thread that waits.
        if left.wrappingSubtract(tiles, ordering: .acquiringAndReleasing).newValue == 0 { done.signal() }
    }

    /// Waits for tiles that other workers still compute.
    func wait() throws {
        done.wait()
        try failure.rethrow()
    }
}
