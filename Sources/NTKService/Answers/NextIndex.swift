internal import Synchronization

/// Counts from 0.
final class NextIndex: Sendable {
    private let value = Atomic(0)

    /// The count before this call.
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
