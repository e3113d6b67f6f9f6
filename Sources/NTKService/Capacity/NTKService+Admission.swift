internal import Batching
internal import ComputeExecutor
internal import HTTP1
internal import HTTPTypes
internal import LinearAlgebra
internal import Metrics

// From a validated task to its result: memory, batches, a place among what computes.
extension NTKService {
    /// Memory for a request, when there is some.
    /// - Parameter body: of its body.
    func reserve(_ bytes: Int, for body: MemoryBudget.Lease? = nil) async throws -> MemoryBudget.Lease {
        try await refusing { try await capacity.memory.reserve(bytes, for: body) }
    }

    /// What a client is told where there is no memory.
    func refusing<Value>(_ make: () async throws -> Value) async throws -> Value {
        do {
            return try await make()
        } catch let exhausted as MemoryBudget.Exhausted {
            metrics.batches.rejections[.memory].increment()
            throw ProblemDetails(exhausted)
        }
    }

    /// Bytes that a task takes at the most on the threads that there are.
    func peakBytes(_ task: some ComputeTask) -> Int { computationBytes(task).addingClamped(task.tableBytes) }

    /// The same without what was made when it was read.
    func computationBytes(_ task: some ComputeTask) -> Int { task.peakBytes(threads: executor.loopWidth) }

    func estimate(_ task: some ComputeTask) -> Estimate {
        let work = task.work
        return Estimate(flops: work.operations, peakBytes: peakBytes(task), seconds: meter.seconds(work))
    }

    /// Makes sure that a task takes neither more memory than one may nor more than as many seconds.
    func check(_ estimate: Estimate, seconds: Double) throws(ProblemDetails) {
        guard estimate.peakBytes <= limits.memoryBytes else { throw .overMemory(estimate, limit: limits.memoryBytes) }
        guard estimate.seconds <= seconds else { throw .overTime(estimate, limit: seconds) }
    }

    /// The result of `make`, or of an equal request that is being computed.
    func share(_ request: ServerRequest, _ make: () async throws -> Computed) async throws -> (Computed, isShared: Bool) {
        guard let batches, let key = RequestKey(request) else { return (try await make(), false) }
        let (computed, isShared) = try await batches.flights.value(for: key, make)
        if isShared { batches.shared.increment() }
        return (computed, isShared)
    }

    /// Computes a task: in a batch where it can be, else by itself, before what takes longer.
    func execute<Task: ComputeTask>(
        _ task: Task, within seconds: Double?, holding leases: [MemoryBudget.Lease],
        _ work: @escaping @Sendable (Task, any TileExecutor) throws -> ComputedAnswer
    ) async throws -> Computed {
        switch (batches, task.batch) {
        case (let batches?, .prediction(let request)):
            return try await batches.predictions.submit(
                .init(request: request, leases: leases), key: .init(id: request.regressor.id, covariance: request.test.covariance),
                weight: request.test.test.count,
                bytes: peakBytes(task), within: seconds)
        case (let batches?, .pass):
            return try await batches.pass.submit(
                { tiles in
                    // Also where its client goes before the batch ends.
                    defer { withExtendedLifetime(leases) {} }
                    return try work(task, tiles)
                }, key: .kernels, weight: Batches.weight(task.work), bytes: peakBytes(task), within: seconds
            ).get()
        default:
            let (meter, expected) = (meter, task.work)
            // Also where its client goes before it ends.
            let held = HeldLeases(leases)
            return try await executor.run(priority: WorkPriority(seconds: meter.seconds(expected)), waitsForEnd: false) { [executor] tiles in
                defer { held.release() }
                let (answer, start, duration) = try meter.time(expected, on: executor) { try work(task, tiles) }
                return Computed(answer: answer, start: start, duration: duration)
            }
        }
    }
}

extension ResponseBody {
    /// The same content, which keeps what it is made from accounted for until it is sent.
    func holding(_ leases: [MemoryBudget.Lease]) -> ResponseBody {
        switch self {
        case .bytes: return self
        case .stream(let length, let next):
            return .stream(length: length) {
                defer { withExtendedLifetime(leases) {} }
                return try await next()
            }
        case .pieces(let length, let next):
            return .pieces(length: length) {
                defer { withExtendedLifetime(leases) {} }
                return try next()
            }
        }
    }
}
