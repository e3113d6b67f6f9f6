internal import Synchronization

/// Tells how far a computation has come: passes its loops to another executor and reports every tile that has ended.
public struct ReportingTiles: TileExecutor {
    private let base: any TileExecutor
    private let report: @Sendable (_ done: Int, _ count: Int) -> Void

    /// - Parameter report: called after every tile, from any thread, with the tiles of the loop that have ended and all of them; a
    ///   computation of several loops reports them one after another.
    public init(_ base: any TileExecutor = ConcurrentTiles(), report: @escaping @Sendable (_ done: Int, _ count: Int) -> Void) {
        self.base = base
        self.report = report
    }

    public var keeper: (any BlockKeeper)? { base.keeper }

    public func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let done = Counter()
        let report = report
        try base.forEach(count) { tile in
            try body(tile)
            report(done.next(), count)
        }
    }
}

private final class Counter: Sendable {
    private let value = Atomic(0)

    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}
