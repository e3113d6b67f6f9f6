internal import Locks
internal import NTK

/// Keeps the prepared points of a training set, which predictions ask for again and again.
final class PreparedTraining: Sendable {
    private let state = Lock<(points: PreparedPoints<Double>, groupCount: Int)?>(nil)

    /// Two callers at the same time may both make it.
    func value(_ groups: DuplicateGroups, _ make: () throws -> PreparedPoints<Double>) throws -> PreparedPoints<Double> {
        // A set is grouped by its equal points or not at all.
        if let known = state.withLock({ $0 }), known.groupCount == groups.groupCount { return known.points }
        let points = try make()
        state.withLock { $0 = (points, groups.groupCount) }
        return points
    }
}
