/// What long steps within a tile ask, far from the executor that runs it.
public enum CurrentWork {
    /// Bound by executors around each tile whose work can be cancelled.
    @TaskLocal public static var cancellation: (@Sendable () -> Bool)?

    /// Whether nobody waits for the tile that this thread works on: it may then leave any result, which its executor drops.
    public static var isCancelled: Bool { cancellation?() ?? false }
}
