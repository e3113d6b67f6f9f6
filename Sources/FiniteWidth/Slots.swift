internal import Locks

/// Results of tiles, each set once.
final class Slots<Value: Sendable>: Sendable {
    private let state: Lock<[Value?]>

    init(_ count: Int) { state = Lock(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ value: Value) { state.withLock { $0[index] = value } }

    /// Those that were set, in order.
    var values: [Value] { state.withLock { $0.compactMap { $0 } } }
}
