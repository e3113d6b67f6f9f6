internal import Synchronization

/// A number that goes up and down.
package final class Gauge: Metric {
    package static let type = MetricType.gauge
    private let number = Atomic<Int>(0)

    package init() {}

    package func add(_ amount: Int) { number.wrappingAdd(amount, ordering: .relaxed) }
    package func set(_ amount: Int) { number.store(amount, ordering: .relaxed) }
    package func increment() { add(1) }
    package func decrement() { add(-1) }

    package var value: Int { number.load(ordering: .relaxed) }

    package func write(to text: inout MetricText, name: String, labels: String) { text.sample(name, labels, value) }
}
