internal import ComputeExecutor
internal import HTTP1
internal import LinearAlgebra
internal import TensorFormats

/// A body that is read on a worker, into memory that is asked for before.
struct LargeBody<Value: Sendable>: Sendable {
    /// Bytes of the body itself, which has its memory.
    var count: Int
    /// Bytes that `read` takes.
    var demand: @Sendable (JSONDemand.Guess) -> Int
    /// - Throws: among others `JSONError` of kind `size` when there is more in a text than was guessed.
    var read: @Sendable (JSONDemand.Guess, (any TileExecutor)?) throws -> Value
    /// Bytes that it takes to go on with what was read, which is a part of them.
    var peakBytes: @Sendable (Value) -> Int = { _ in 0 }
    var priority: WorkPriority?
    /// Whether it waits until there is memory.
    var isPatient = false
}

extension LargeBody {
    init(
        _ content: RequestContent, limit: Int, priority: WorkPriority? = nil,
        _ read: @escaping @Sendable (JSONDemand.Guess, (any TileExecutor)?) throws -> Value,
        peakBytes: @escaping @Sendable (Value) -> Int = { _ in 0 }
    ) {
        self.init(
            count: content.bytes.count, demand: { RequestBody.demand(content, limit: limit, $0) }, read: read, peakBytes: peakBytes,
            priority: priority)
    }
}

extension NTKService {
    /// Bytes of JSON that are parsed in a second.
    private static let parsedBytesPerSecond = 3e8

    /// Reads a body here if it is small, and then without memory of its own unless it grows; else as `read` does.
    func read<Value>(
        _ body: LargeBody<Value>, isSmall: Bool, for own: MemoryBudget.Lease?
    ) async throws -> (value: Value, leases: [MemoryBudget.Lease]) {
        guard isSmall else { return try await read(body, for: own) }
        do {
            return (try body.read(.most, nil), [])
        } catch let problem as ProblemDetails where problem.missingBytes > 0 {
            return try await read(body, for: own)
        }
    }

    /// Reads a body when there is memory for what it becomes.
    ///
    /// What it takes to go on is known only then; so is how much text was no array of numbers, and how much what was read grows by. If that is more
    /// than there is now, what was read is let go and read again later: requests that hold some memory and wait for more would wait for each other.
    ///
    /// - Parameter own: the memory of the body itself.
    func read<Value>(_ body: LargeBody<Value>, for own: MemoryBudget.Lease?) async throws -> (value: Value, leases: [MemoryBudget.Lease]) {
        let priority = body.priority ?? WorkPriority(seconds: Double(body.count) / Self.parsedBytesPerSecond)
        // What is counted for its demand is known when it is read.
        var guess = JSONDemand.Guess.few.remembering
        var bytes = try await executor.run(priority: priority) { [guess] _ in body.demand(guess) }
        var growth = 0
        var stored: StoredObject?
        while true {
            let all = bytes.addingClamped(growth)
            guard all.addingClamped(body.count) <= capacity.memory.largest else {
                guard let stored else { throw tooLarge(all) }
                let more = all.addingClamped(body.count) - stored.bytes
                throw ProblemDetails.tooLargeToRead(stored, beside: more, largest: capacity.memory.largest)
            }
            let lease = try await body.isPatient ? patiently { try await capacity.memory.reserve(all, for: own) } : reserve(all, for: own)
            do {
                // Also if no request waits for the end.
                let held = HeldLeases([lease])
                let value = try await executor.run(priority: priority, waitsForEnd: false) { [guess, growth] tiles in
                    defer { held.release() }
                    let allowance = Allowance(growth, limit: limits.memoryBytes, tiles: tiles)
                    return try Allowance.$current.withValue(allowance) { try body.read(guess, tiles) }
                }
                let peak = body.peakBytes(value).addingClamped(growth)
                guard peak > lease.bytes else { return (value, [lease]) }
                if let rest = capacity.memory.growNow(peak - lease.bytes) { return (value, [lease, rest]) }
                bytes = max(bytes, peak - growth)
            } catch let problem as ProblemDetails where problem.missingBytes > 0 {
                growth = growth.addingClamped(problem.missingBytes)
                stored = problem.storedObject ?? stored
            } catch let error as JSONError where error.kind == .size && !guess.isMost {
                guess = guess.asMost
                bytes = try await executor.run(priority: priority) { [guess] _ in body.demand(guess) }
            }
        }
    }

    private func tooLarge(_ bytes: Int) -> ProblemDetails {
        ProblemDetails(
            .contentTooLarge(
                "The body takes about \(bytes) bytes once it is read; there are \(capacity.memory.largest) for all requests.",
                "RFC 9110 §15.5.14"))
    }

    /// Memory for the body of a job, when there is some.
    func reserveBody(_ bytes: Int) async throws -> MemoryBudget.Lease {
        guard bytes <= capacity.memory.largestBody else { throw tooLarge(bytes) }
        return try await patiently { try await capacity.memory.reserveBody(bytes) }
    }

    /// Waits until there is memory, without the limit that a request on a connection has.
    private func patiently(_ reserve: () async throws -> MemoryBudget.Lease) async throws -> MemoryBudget.Lease {
        while true {
            do {
                return try await reserve()
            } catch is MemoryBudget.Exhausted {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
