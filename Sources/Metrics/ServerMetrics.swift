/// Everything the server counts, by concern. Made once by the program, and handed to the parts that count.
package struct ServerMetrics: Sendable {
    package let registry: MetricRegistry
    package let http: HTTPMetrics
    package let batches: BatchMetrics
    package let jobs: JobMetrics
    package let memory: MemoryMetrics

    package init(registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        http = HTTPMetrics(registry)
        batches = BatchMetrics(registry)
        jobs = JobMetrics(registry)
        memory = MemoryMetrics(registry)
    }
}
