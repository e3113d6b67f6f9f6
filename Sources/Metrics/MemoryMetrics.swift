/// The memory that computations may take.
package struct MemoryMetrics: Sendable {
    package let budgetBytes: Gauge
    /// Granted to what computes now.
    package let reservedBytes: Gauge
    /// Requests that wait for memory.
    package let waiting: Gauge

    init(_ registry: MetricRegistry) {
        budgetBytes = registry.gauge("ntk_memory_budget_bytes", "Memory that all computations together may take.")
        reservedBytes = registry.gauge("ntk_memory_reserved_bytes", "Memory granted to computations and to bodies of requests.")
        waiting = registry.gauge("ntk_memory_waiting", "Requests that wait for memory.")
    }
}
