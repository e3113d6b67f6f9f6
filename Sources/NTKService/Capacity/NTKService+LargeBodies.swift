internal import ComputeExecutor
internal import HTTP1
internal import LinearAlgebra

// Bodies that are read on a worker.
extension NTKService {
    /// Bytes of JSON that are parsed in a second.
    private static let parsedBytesPerSecond = 3e8

    /// A task, how it is answered, and the memory that both the body is read into and the task takes.
    struct LargeRequest<Task: ComputeTask> {
        var task: Task
        var format: AnswerFormat
        var timing: ServerTiming
        var leases: [MemoryBudget.Lease] = []
    }

    /// Reads a body when there is memory for what it becomes.
    ///
    /// What the task takes is known only then, and what was read is a part of it. If there is not that much now, what was read is let go and read
    /// again later: to hold some memory and wait for more is to wait for others who do the same.
    func readLarge<Task: ComputeTask>(
        _ request: ServerRequest, _ read: @escaping @Sendable (any TileExecutor) throws -> LargeRequest<Task>
    ) async throws -> LargeRequest<Task> {
        let priority = WorkPriority(seconds: Double(request.body.count) / Self.parsedBytesPerSecond)
        var bytes = try await executor.run(priority: priority) { _ in RequestBody.decodedBytes(request) }
        while true {
            guard bytes <= capacity.memory.largest else {
                throw ProblemDetails(
                    .contentTooLarge(
                        "The body takes about \(bytes) bytes once it is read; there are \(capacity.memory.largest) for all requests.",
                        "RFC 9110 §15.5.14"))
            }
            let lease = try await reserve(bytes)
            var large = try await executor.run(priority: priority) { tiles in try read(tiles) }
            large.leases = [lease]
            let more = large.task.peakBytes - lease.bytes
            guard more > 0 else { return large }
            if let rest = capacity.memory.growNow(more) {
                large.leases.append(rest)
                return large
            }
            bytes = large.task.peakBytes
        }
    }
}
