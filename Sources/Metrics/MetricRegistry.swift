internal import Locks

/// All metrics of a process, in the order in which they were registered. Handed down; there is no global one.
package final class MetricRegistry: Sendable {
    private struct Entry: Sendable {
        var name: String
        var write: @Sendable (inout MetricText) -> Void
    }

    private let entries = Lock<[Entry]>([])

    package init() {}

    package func counter(_ name: StaticString, _ help: StaticString) -> Counter { register(name, help, Counter()) }
    package func gauge(_ name: StaticString, _ help: StaticString) -> Gauge { register(name, help, Gauge()) }

    package func histogram(_ name: StaticString, _ help: StaticString, bounds: [Double]) -> Histogram {
        register(name, help, Histogram(bounds: bounds))
    }

    package func counters<Labels: LabelSet>(_ name: StaticString, _ help: StaticString, by: Labels.Type) -> MetricFamily<Labels, Counter> {
        register(name, help, MetricFamily { Counter() })
    }

    package func gauges<Labels: LabelSet>(_ name: StaticString, _ help: StaticString, by: Labels.Type) -> MetricFamily<Labels, Gauge> {
        register(name, help, MetricFamily { Gauge() })
    }

    package func histograms<Labels: LabelSet>(
        _ name: StaticString, _ help: StaticString, bounds: [Double], by: Labels.Type
    ) -> MetricFamily<Labels, Histogram> {
        register(name, help, MetricFamily { Histogram(bounds: bounds) })
    }

    // With one label all values are shown from the start.

    package func counters<Label: SingleLabel>(_ name: StaticString, _ help: StaticString, by: Label.Type) -> MetricFamily<Label, Counter> {
        shown(register(name, help, MetricFamily { Counter() }))
    }

    package func histograms<Label: SingleLabel>(
        _ name: StaticString, _ help: StaticString, bounds: [Double], by: Label.Type
    ) -> MetricFamily<Label, Histogram> {
        shown(register(name, help, MetricFamily { Histogram(bounds: bounds) }))
    }

    package func gauges<Label: SingleLabel>(_ name: StaticString, _ help: StaticString, by: Label.Type) -> MetricFamily<Label, Gauge> {
        shown(register(name, help, MetricFamily { Gauge() }))
    }

    /// A number that is asked for when the metrics are; left out where there is none.
    package func observed(_ name: StaticString, _ help: StaticString, _ type: MetricType, _ value: @escaping @Sendable () -> Double?) {
        add(name) { text in
            guard let value = value() else { return }
            text.head(name.description, help, type)
            text.sample(name.description, "", value)
        }
    }

    /// Numbers that are asked for when the metrics are, by one label.
    package func observed(
        _ name: StaticString, _ help: StaticString, _ type: MetricType, by label: StaticString,
        _ values: @escaping @Sendable () -> [(label: LabelValue, value: Int)]
    ) {
        add(name) { text in
            text.head(name.description, help, type)
            for (value, number) in values() { text.sample(name.description, MetricText.labels([label], [value]), number) }
        }
    }

    /// The constant 1 with labels that say something.
    package func info<Labels: LabelSet>(_ name: StaticString, _ help: StaticString, _ labels: Labels) {
        gauges(name, help, by: Labels.self)[labels].set(1)
    }

    /// Everything in the text format.
    package func text() -> MetricText {
        var text = MetricText()
        for entry in entries.withLock({ $0 }) { entry.write(&text) }
        return text
    }

    private func register<Value: Metric>(_ name: StaticString, _ help: StaticString, _ metric: Value) -> Value {
        add(name) { text in
            text.head(name.description, help, Value.type)
            metric.write(to: &text, name: name.description, labels: "")
        }
        return metric
    }

    private func register<Labels, Value>(
        _ name: StaticString, _ help: StaticString, _ family: MetricFamily<Labels, Value>
    ) -> MetricFamily<Labels, Value> {
        add(name) { text in
            text.head(name.description, help, Value.type)
            family.write(to: &text, name: name.description)
        }
        return family
    }

    private func shown<Label: SingleLabel, Value>(_ family: MetricFamily<Label, Value>) -> MetricFamily<Label, Value> {
        family.showAll()
        return family
    }

    private func add(_ name: StaticString, _ write: @escaping @Sendable (inout MetricText) -> Void) {
        entries.withLock { entries in
            precondition(!entries.contains { $0.name == name.description }, "a metric's name is registered once")
            entries.append(Entry(name: name.description, write: write))
        }
    }
}
