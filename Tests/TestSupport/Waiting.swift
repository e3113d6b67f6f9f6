/// What a test waited for did not come about.
public struct WaitedTooLong: Error, CustomStringConvertible {
    public var seconds: Int
    public var description: String { "waited for \(seconds) s in vain" }
}

/// Returns when a condition holds, and throws where it does not within a time that no machine needs: a test that fails must end.
///
/// The condition must go on to hold: one that others end again may be missed on a busy machine.
public nonisolated(nonsending) func wait(seconds: Int = 60, until condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        guard ContinuousClock.now < end else { throw WaitedTooLong(seconds: seconds) }
        try Task.checkCancellation()
        await Task.yield()
    }
}
