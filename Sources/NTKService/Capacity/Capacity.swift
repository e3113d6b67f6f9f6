package import Batching
package import ComputeExecutor
internal import HTTPTypes
internal import Metrics

/// What bounds all requests together, where `NTKService.Limits` bounds each.
package struct Capacity: Sendable {
    package var memory: MemoryBudget
    /// nil computes every request by itself.
    package var batching: BatchLimits?

    package init(memory: MemoryBudget = MemoryBudget(bytes: Self.standardMemoryBytes), batching: BatchLimits? = BatchLimits()) {
        self.memory = memory
        self.batching = batching
    }

    /// Five eighths of what the process may use: a quarter more is for stored models and their factors, the rest for the program.
    package static var standardMemoryBytes: Int { Machine.memoryBytes / 8 * 5 }
}

extension MemoryBudget.Usage {
    func report(to metrics: MemoryMetrics) {
        metrics.budgetBytes.set(total)
        metrics.reservedBytes.set(used)
        metrics.waiting.set(waiting)
    }
}

extension BatchEvents {
    /// Counts what happens to batches of a kind.
    static func counting(_ kind: BatchMetrics.Kind, in metrics: BatchMetrics) -> BatchEvents {
        let (depth, bytes) = (metrics.queueDepth[kind], metrics.queueBytes[kind])
        let (weights, sizes) = (metrics.weight[kind], metrics.items[kind])
        let (waits, times) = (metrics.queueDelay[kind], metrics.execution[kind])
        return BatchEvents { event in
            switch event {
            case .queue(let items, let waitingBytes):
                depth.set(items)
                bytes.set(waitingBytes)
            case .started(let weight, let delays):
                weights.observe(Double(weight))
                sizes.observe(Double(delays.count))
                for delay in delays { waits.observe(delay) }
            case .ended(let duration): times.observe(duration)
            case .rejected(.tooManyItems): metrics.rejections[.queueItems].increment()
            case .rejected(.tooManyBytes): metrics.rejections[.queueBytes].increment()
            case .rejected(.deadline): metrics.rejections[.deadline].increment()
            case .cancelled(let whileRunning): metrics.cancellations[whileRunning ? .running : .queued].increment()
            }
        }
    }
}

extension ProblemDetails {
    init(_ rejection: BatchRejection) {
        switch rejection {
        case .tooManyItems(let seconds): self = .busy("as many requests as the queue holds wait to be computed", retryAfterSeconds: seconds)
        case .tooManyBytes(let seconds): self = .busy("as many bytes of requests as the queue holds wait", retryAfterSeconds: seconds)
        case .deadline(let seconds):
            self.init(
                status: .gatewayTimeout, type: .deadline, title: "The time that the request gave is not enough",
                detail: "the requests before it, and this one, are expected to take \(Double(Int(seconds * 1_000)) / 1_000) s")
        }
    }

    init(_ exhausted: MemoryBudget.Exhausted) {
        self = .busy("the memory for computations is in use, and enough requests wait for some", retryAfterSeconds: exhausted.retryAfterSeconds)
    }

    static func busy(_ detail: String, retryAfterSeconds: Int) -> ProblemDetails {
        var problem = ProblemDetails.unavailable(detail)
        problem.headerFields[.retryAfter] = String(retryAfterSeconds)
        return problem
    }
}
