/// Jobs.
package struct JobMetrics: Sendable {
    package enum State: String, SingleLabel {
        package static let name: StaticString = "state"
        case queued, running, succeeded, failed, cancelled, damaged
    }

    /// Those that exist now.
    package let current: MetricFamily<State, Gauge>
    /// Those that came into a state since the start.
    package let entered: MetricFamily<State, Counter>
    package let duration: Histogram

    init(_ registry: MetricRegistry) {
        current = registry.gauges("ntk_jobs", "Jobs that are kept, by state.", by: State.self)
        entered = registry.counters("ntk_job_transitions_total", "Jobs that came into a state.", by: State.self)
        duration = registry.histogram("ntk_job_duration_seconds", "Time from a job's start to its end.", bounds: .requestSeconds)
    }
}
