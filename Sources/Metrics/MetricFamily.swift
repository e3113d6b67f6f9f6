internal import Locks

package enum MetricType: String, Sendable {
    case counter, gauge, histogram
}

/// What can be counted and shown.
package protocol Metric: AnyObject, Sendable {
    static var type: MetricType { get }
    /// Writes its samples. `labels` is what stands in the braces.
    func write(to text: inout MetricText, name: String, labels: String)
}

/// Metrics of one name, one for each set of labels that has been used.
package final class MetricFamily<Labels: LabelSet, Value: Metric>: Sendable {
    private let make: @Sendable () -> Value
    private let children = Lock<[Labels: Value]>([:])

    init(_ make: @escaping @Sendable () -> Value) { self.make = make }

    package subscript(_ labels: Labels) -> Value {
        children.withLock { children in
            if let known = children[labels] { return known }
            let new = make()
            children[labels] = new
            return new
        }
    }

    func write(to text: inout MetricText, name: String) {
        let all = children.withLock { $0 }
        let lines = all.map { (MetricText.labels(Labels.names, $0.key.values), $0.value) }
        for (labels, value) in lines.sorted(by: { $0.0 < $1.0 }) { value.write(to: &text, name: name, labels: labels) }
    }
}

extension MetricFamily where Labels: SingleLabel {
    /// Shows every value of the label from the start, so that a rate of the first event is not missed.
    func showAll() {
        for label in Labels.allCases { _ = self[label] }
    }
}
