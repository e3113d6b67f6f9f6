import ComputeExecutor
import Dispatch
import Foundation
import LinearAlgebra
import Locks
import Synchronization
import TestSupport
import Testing

struct ComputeExecutorTests {
    struct Fault: Error {}

    /// Work that goes on until it is released.
    private struct Occupation {
        let release = DispatchSemaphore(value: 0)
        let task: Task<Void, any Error>

        /// Returns when it has started.
        init(_ executor: ComputeExecutor, priority: WorkPriority = .normal) async {
            let started = AsyncStream<Void>.makeStream()
            task = Task { [release] in
                try await executor.run(priority: priority) { _ in
                    started.continuation.yield()
                    release.wait()
                }
            }
            for await _ in started.stream { break }
        }

        func end() async throws {
            release.signal()
            try await task.value
        }
    }

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

    /// The steps of a tile that takes long are told too, and what they then leave is dropped.
    @Test(.timeLimit(.minutes(1)), arguments: [1, 2]) func aCancelledTileEndsItself(tileCount: Int) async throws {
        let executor = ComputeExecutor(width: 1)
        let started = AsyncStream<Void>.makeStream()
        let task = Task {
            try await executor.run { tiles in
                try tiles.forEach(tileCount) { _ in
                    started.continuation.yield()
                    while !CurrentWork.isCancelled {}
                    throw Fault()
                }
            }
        }
        for await _ in started.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await executor.run { _ in CurrentWork.isCancelled } == false)
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

    /// Where all workers are inside long work that no tile divides, urgent work starts all the same; what is no more urgent waits.
    @Test func urgentWorkDoesNotWaitForLongWork() async throws {
        let executor = ComputeExecutor(width: 2)
        let release = DispatchSemaphore(value: 0)
        let started = AsyncStream<Void>.makeStream()
        let long = (0..<2).map { _ in
            Task {
                try await executor.run(priority: .long) { _ in
                    started.continuation.yield()
                    release.wait()
                }
            }
        }
        var count = 0
        for await _ in started.stream {
            count += 1
            if count == 2 { break }
        }
        for priority in [WorkPriority.small, .normal, .heavy] {
            #expect(
                try await executor.run(priority: priority) { tiles in
                    let sum = Atomic<Int>(0)
                    try tiles.forEach(100) { sum.add($0, ordering: .relaxed) }
                    return sum.load(ordering: .relaxed)
                } == 4_950)
        }
        let ended = Lock(false)
        let equal = Task { try await executor.run(priority: .long) { _ in ended.withLock { $0 } } }
        try await wait { executor.waitingCount >= 1 }
        ended.withLock { $0 = true }
        for _ in 0..<2 { release.signal() }
        #expect(try await equal.value)
        for task in long { try await task.value }
    }

    /// What is cancelled while it waits goes at once.
    @Test func cancelledWorkLeavesTheQueue() async throws {
        let executor = ComputeExecutor(width: 1)
        let long = await Occupation(executor)
        let waits = Task { try await executor.run { _ in } }
        try await wait { executor.waitingCount >= 1 }
        waits.cancel()
        await #expect(throws: CancellationError.self) { try await waits.value }
        #expect(executor.waitingCount == 0)
        try await long.end()
    }

    /// A loop of a background job helps with the tiles of a request between its own.
    @Test func lessUrgentLoopsHelpMoreUrgentOnes() async throws {
        let executor = ComputeExecutor(width: 1)
        let urgentTiles = Atomic<Int>(0)
        let stop = Atomic<Bool>(false)
        let started = AsyncStream<Void>.makeStream()
        let background = Task {
            try await executor.run(priority: .background) { tiles in
                try tiles.forEach(1 << 50) { _ in
                    started.continuation.yield()
                    if stop.load(ordering: .relaxed) { throw Fault() }
                }
            }
        }
        for await _ in started.stream { break }
        // Tiles that end only when two threads are in them: one must be the background's.
        try await executor.run(priority: .small) { tiles in
            try tiles.forEach(2) { _ in
                urgentTiles.add(1, ordering: .relaxed)
                while urgentTiles.load(ordering: .relaxed) < 2 { usleep(100) }
            }
        }
        stop.store(true, ordering: .relaxed)
        await #expect(throws: Fault.self) { try await background.value }
    }

    /// The turn of who has waited the longest is none for a thread that may not start it: where the workers are taken for long, small work goes on.
    @Test(.timeLimit(.minutes(1))) func smallWorkGoesOnWhileLongWorkWaits() async throws {
        let executor = ComputeExecutor(width: 1)
        let long = await Occupation(executor, priority: .long)
        let waits = Task { try await executor.run(priority: .long) { _ in } }
        try await wait { executor.waitingCount >= 1 }
        for number in 0..<50 { #expect(try await executor.run(priority: .small) { _ in number } == number) }
        try await long.end()
        try await waits.value
    }

    /// What was cancelled before it came to wait does not wait either.
    @Test(.timeLimit(.minutes(1))) func cancelledBeforeItWaitsDoesNotWait() async throws {
        let executor = ComputeExecutor(width: 1)
        let long = await Occupation(executor)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            try await executor.run { _ in }
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(executor.waitingCount == 0)
        try await long.end()
    }
}
