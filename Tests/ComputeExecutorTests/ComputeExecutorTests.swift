import ComputeExecutor
import LinearAlgebra
import Locks
import Synchronization
import Testing

struct ComputeExecutorTests {
    struct Fault: Error {}

    @Test(arguments: [1, 2, 5])
    func everyTileOnce(width: Int) async throws {
        let executor = ComputeExecutor(width: width)
        for count in [0, 1, 2, 100] {
            let sum = try await executor.run { tiles in
                let sum = Atomic<Int>(0)
                try tiles.forEach(count) { sum.add($0 + 1, ordering: .relaxed) }
                return sum.load(ordering: .relaxed)
            }
            #expect(sum == count * (count + 1) / 2)
        }
    }

    @Test func manyAtOnceAllEnd() async throws {
        let executor = ComputeExecutor(width: 2)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await executor.run { tiles in
                        let sum = Atomic<Int>(0)
                        try tiles.forEach(number % 7) { _ in sum.add(1, ordering: .relaxed) }
                        try tiles.forEach(3) { _ in sum.add(1, ordering: .relaxed) }
                        return sum.load(ordering: .relaxed)
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == (0..<200).reduce(0) { $0 + $1 % 7 + 3 })
    }

    @Test func errorsComeBack() async {
        let executor = ComputeExecutor(width: 2)
        await #expect(throws: Fault.self) { try await executor.run { _ in throw Fault() } }
        await #expect(throws: Fault.self) { try await executor.run { tiles in try tiles.forEach(50) { if $0 == 20 { throw Fault() } } } }
    }

    /// A cancelled piece of work ends at the next tile, and the worker is free for others.
    @Test func cancellationEndsTheWork() async throws {
        let executor = ComputeExecutor(width: 1)
        let started = AsyncStream<Void>.makeStream()
        let task = Task {
            try await executor.run { tiles in
                started.continuation.yield()
                try tiles.forEach(1 << 50) { _ in }
            }
        }
        for await _ in started.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await executor.run { _ in 7 } == 7)
    }

    /// Work that begins while another loop runs is not kept waiting until that loop ends.
    @Test func helpersLeaveForNewWork() async throws {
        let executor = ComputeExecutor(width: 2)
        let release = Lock(false)
        let started = AsyncStream<Void>.makeStream()
        let long = Task {
            try await executor.run { tiles in
                try tiles.forEach(1 << 50) { _ in
                    started.continuation.yield()
                    if release.withLock({ $0 }) { throw Fault() }
                }
            }
        }
        for await _ in started.stream { break }
        #expect(try await executor.run { _ in 1 } == 1)
        release.withLock { $0 = true }
        await #expect(throws: Fault.self) { try await long.value }
    }
}
