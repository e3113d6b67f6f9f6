/// Batches and the queue before them.
package struct BatchMetrics: Sendable {
    /// What is computed together.
    package enum Kind: String, SingleLabel {
        package static let name: StaticString = "kind"
        /// Rows of predictions of one regressor.
        case prediction
        /// Small kernels.
        case kernel
    }

    package enum Rejection: String, SingleLabel {
        package static let name: StaticString = "reason"
        case queueItems = "queue_items"
        case queueBytes = "queue_bytes"
        /// Its deadline would pass before it is done.
        case deadline
        case memory
    }

    package enum Stage: String, SingleLabel {
        package static let name: StaticString = "stage"
        case queued, running
    }

    package let queueDepth: MetricFamily<Kind, Gauge>
    package let queueBytes: MetricFamily<Kind, Gauge>
    /// Rows, or what else weighs.
    package let weight: MetricFamily<Kind, Histogram>
    /// Requests.
    package let items: MetricFamily<Kind, Histogram>
    package let queueDelay: MetricFamily<Kind, Histogram>
    package let execution: MetricFamily<Kind, Histogram>
    package let rejections: MetricFamily<Rejection, Counter>
    package let cancellations: MetricFamily<Stage, Counter>
    /// Requests that shared the computation of an equal one.
    package let shared: Counter

    init(_ registry: MetricRegistry) {
        queueDepth = registry.gauges("ntk_batch_queue_depth", "Requests that wait for a batch.", by: Kind.self)
        queueBytes = registry.gauges("ntk_batch_queue_bytes", "Bytes of the requests that wait for a batch.", by: Kind.self)
        weight = registry.histograms("ntk_batch_rows", "Rows of a batch.", bounds: .powersOfTwo, by: Kind.self)
        items = registry.histograms("ntk_batch_size", "Requests of a batch.", bounds: .powersOfTwo, by: Kind.self)
        queueDelay = registry.histograms(
            "ntk_batch_queue_delay_seconds", "Time from a request's arrival to the start of its batch.", bounds: .queueSeconds, by: Kind.self)
        execution = registry.histograms(
            "ntk_batch_execution_seconds", "Time that a batch computed.", bounds: .requestSeconds, by: Kind.self)
        rejections = registry.counters("ntk_batch_rejections_total", "Requests refused for want of capacity.", by: Rejection.self)
        cancellations = registry.counters(
            "ntk_batch_cancellations_total", "Requests whose client has gone or whose deadline has passed.", by: Stage.self)
        shared = registry.counter("ntk_batch_shared_total", "Requests answered by the computation of an equal one in flight.")
    }
}
