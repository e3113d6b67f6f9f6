internal import Synchronization

/// How often a quantity fell into which range.
package final class Histogram: Metric {
    package static let type = MetricType.histogram

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    private let bounds: [Double]
    /// One for each bound, and one for what is above the last.
    private let cells: [Cell]
    /// Bits of a float64.
    private let sum = Atomic<UInt64>(0)

    /// - Parameter bounds: upper ends of the ranges, themselves included, ascending.
    package init(bounds: [Double]) {
        self.bounds = bounds
        cells = (0...bounds.count).map { _ in Cell() }
    }

    /// Counts one observation; what is no number is left out.
    package func observe(_ value: Double) {
        guard value.isFinite else { return }
        cells[bounds.firstIndex { value <= $0 } ?? bounds.count].count.wrappingAdd(1, ordering: .relaxed)
        var before = sum.load(ordering: .relaxed)
        while true {
            let after = (Double(bitPattern: before) + value).bitPattern
            let (done, current) = sum.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if done { return }
            before = current
        }
    }

    package func observe(_ duration: Duration) { observe(duration / .seconds(1)) }

    package var count: Int { cells.reduce(0) { $0 + Int(clamping: $1.count.load(ordering: .relaxed)) } }

    package func write(to text: inout MetricText, name: String, labels: String) {
        var total = 0
        for (index, cell) in cells.enumerated() {
            total += Int(clamping: cell.count.load(ordering: .relaxed))
            let bound = index < bounds.count ? MetricText.number(bounds[index]) : "+Inf"
            text.sample(name + "_bucket", labels + (labels.isEmpty ? "" : ",") + "le=\"\(bound)\"", total)
        }
        text.sample(name + "_sum", labels, Double(bitPattern: sum.load(ordering: .relaxed)))
        // From the same reading as the ranges: a scrape never sees a count that differs from the last range.
        text.sample(name + "_count", labels, total)
    }
}

extension [Double] {
    /// Seconds, from 100 µs, the time of a small kernel, to an hour, the longest that a request may take by default.
    package static let requestSeconds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600,
    ]

    /// Seconds in a queue, from 10 µs.
    package static let queueSeconds = [0.00001, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    /// 1, 2, 4, … up to 2¹⁴: rows, requests.
    package static let powersOfTwo = (0...14).map { Double(1 << $0) }
}
