internal import Synchronization

/// A number that only grows.
package final class Counter: Metric {
    package static let type = MetricType.counter
    private let value = Atomic<UInt64>(0)

    package init() {}

    package func increment(by amount: Int = 1) {
        guard amount > 0 else { return }
        value.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    package var total: Int { Int(clamping: value.load(ordering: .relaxed)) }

    package func write(to text: inout MetricText, name: String, labels: String) { text.sample(name, labels, total) }
}
