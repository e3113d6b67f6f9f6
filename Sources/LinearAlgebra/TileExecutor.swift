internal import Dispatch

/// Runs the independent pieces ("tiles") of one computation, on as many threads as the implementation has.
public protocol TileExecutor: Sendable {
    /// Calls `body` once for each of 0 ..< count, in any order and possibly at the same time, and returns when all calls have ended.
    /// No further tile starts after one has thrown or the work is cancelled; the first error is thrown on.
    func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws

    /// Where computations that take long keep what they have finished; nil: nowhere.
    var keeper: (any BlockKeeper)? { get }
}

extension TileExecutor {
    public var keeper: (any BlockKeeper)? { nil }
}

/// One tile after another in the calling thread.
public struct SerialTiles: TileExecutor {
    public init() {}

    public func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        for tile in 0..<count { try body(tile) }
    }
}

/// Tiles on all cores by Dispatch: what a program that uses the library without the server wants.
public struct ConcurrentTiles: TileExecutor {
    public init() {}

    public func forEach(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let failure = FirstError()
        DispatchQueue.concurrentPerform(iterations: count) { tile in
            guard !failure.isSet else { return }
            do { try body(tile) } catch { failure.set(error) }
        }
        try failure.rethrow()
    }
}
