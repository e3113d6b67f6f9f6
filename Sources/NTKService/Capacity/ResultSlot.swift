internal import Locks

/// What one member of a pass comes to.
final class ResultSlot: Sendable {
    private let result = Lock<Result<Computed, any Error>?>(nil)

    func set(_ new: Result<Computed, any Error>) { result.withLock { $0 = new } }

    func get() throws -> Result<Computed, any Error> {
        guard let result = result.withLock({ $0 }) else { throw CancellationError() }
        return result
    }
}
