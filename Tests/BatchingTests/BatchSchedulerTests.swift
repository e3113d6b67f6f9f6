import Batching
import Locks
import TestSupport
import Testing

struct BatchSchedulerTests {
    struct Fault: Error, Equatable { var item: Int }

    /// Batches that wait for a word before they end.
    final class Gate: Sendable {
        private let state = Lock((batches: [[Int]](), isOpen: false))

        var batches: [[Int]] { state.withLock { $0.batches } }
        func open() { state.withLock { $0.isOpen = true } }

        func compute(_ items: [Int]) async throws -> [Int] {
            state.withLock { $0.batches.append(items) }
            while !state.withLock({ $0.isOpen }) {
                try Task.checkCancellation()
                await Task.yield()
            }
            if let guilty = items.first(where: { $0 < 0 }) { throw Fault(item: guilty) }
            return items.map { $0 * 2 }
        }
    }

    static func scheduler(
        _ gate: Gate, lanes: (key: Int, all: Int) = (1, 2), _ change: (inout BatchLimits) -> Void = { _ in }
    ) -> BatchScheduler<String, Int, Int> {
        var limits = BatchLimits()
        change(&limits)
        return BatchScheduler(limits: limits, lanes: lanes) { _, items, completion in
            let task = Task { completion(await Result { () async throws in try await gate.compute(items) }) }
            return { task.cancel() }
        }
    }

    @Test func whatQueuesWhileABatchComputesGoesTogether() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate)
        let first = Task { try await scheduler.submit(0, key: "k", weight: 1, bytes: 1) }
        try await wait { gate.batches.count == 1 }
        let others = (1...5).map { item in Task { try await scheduler.submit(item, key: "k", weight: 1, bytes: 1) } }
        try await wait { scheduler.waiting.items == 5 }
        // Another key does not wait for this one.
        let other = Task { try await scheduler.submit(9, key: "l", weight: 1, bytes: 1) }
        try await wait { gate.batches.count == 2 }
        gate.open()
        #expect(try await first.value == 0)
        #expect(try await other.value == 18)
        for (index, task) in others.enumerated() { #expect(try await task.value == 2 * (index + 1)) }
        #expect(gate.batches.map { $0.sorted() } == [[0], [9], [1, 2, 3, 4, 5]])
    }

    @Test func oneBadRequestDoesNotHurtItsNeighbours() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate)
        let first = Task { try await scheduler.submit(0, key: "k", weight: 1, bytes: 1) }
        try await wait { gate.batches.count == 1 }
        let others = [1, -2, 3].map { item in Task { try await scheduler.submit(item, key: "k", weight: 1, bytes: 1) } }
        try await wait { scheduler.waiting.items == 3 }
        gate.open()
        #expect(try await first.value == 0)
        #expect(try await others[0].value == 2)
        await #expect(throws: Fault(item: -2)) { try await others[1].value }
        #expect(try await others[2].value == 6)
        // Together, then once each.
        #expect(gate.batches.count == 5)
    }

    @Test func whoIsGoneLeavesTheQueueAndADesertedBatchEnds() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate)
        let first = Task { try await scheduler.submit(0, key: "k", weight: 1, bytes: 1) }
        try await wait { gate.batches.count == 1 }
        let second = Task { try await scheduler.submit(1, key: "k", weight: 1, bytes: 1) }
        let third = Task { try await scheduler.submit(2, key: "k", weight: 1, bytes: 7) }
        try await wait { scheduler.waiting.items == 2 }
        third.cancel()
        await #expect(throws: CancellationError.self) { try await third.value }
        #expect(scheduler.waiting == (1, 1))
        // Alone in its batch: that ends, and the next begins.
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        try await wait { gate.batches.count == 2 }
        // A batch that was formed from the queue.
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.open()
        #expect(try await scheduler.submit(4, key: "k", weight: 1, bytes: 1) == 8)
        #expect(!gate.batches.flatMap { $0 }.contains(2))
    }

    @Test func theQueueIsBoundedAndSaysWhenToComeAgain() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate) {
            $0.queueItems = 2
            $0.queueBytes = 10
        }
        let first = Task { try await scheduler.submit(0, key: "k", weight: 1, bytes: 1) }
        try await wait { gate.batches.count == 1 }
        let second = Task { try await scheduler.submit(1, key: "k", weight: 1, bytes: 6) }
        try await wait { scheduler.waiting.items == 1 }
        await #expect(throws: BatchRejection.tooManyBytes(retryAfterSeconds: 1)) { try await scheduler.submit(2, key: "k", weight: 1, bytes: 6) }
        let third = Task { try await scheduler.submit(3, key: "k", weight: 1, bytes: 1) }
        try await wait { scheduler.waiting.items == 2 }
        await #expect(throws: BatchRejection.tooManyItems(retryAfterSeconds: 1)) { try await scheduler.submit(4, key: "k", weight: 1, bytes: 1) }
        gate.open()
        #expect(try await [first.value, second.value, third.value] == [0, 2, 6])
    }

    /// With a delay a request waits for others only while something computes, and not longer than that.
    @Test func aLoneRequestNeverWaits() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate, lanes: (2, 2)) { $0.delay = .seconds(3_600) }
        gate.open()
        for item in 0..<20 { #expect(try await scheduler.submit(item, key: "k", weight: 1, bytes: 1) == 2 * item) }
        #expect(gate.batches.allSatisfy { $0.count == 1 })
    }

    /// Requests that one executor has at once, as an event loop has those of one poll.
    private actor Turn {
        func submit(_ items: Range<Int>, to scheduler: BatchScheduler<String, Int, Int>) -> [Task<Int, any Error>] {
            items.map { item in Task { try await scheduler.submit(item, key: "k", weight: 1, bytes: 1, isolation: self) } }
        }
    }

    @Test func whereRequestsComeTogetherTheFirstWaitsForThoseThatCameWithIt() async throws {
        let (gate, turn) = (Gate(), Turn())
        let scheduler = Self.scheduler(gate)
        // Nothing came together before: the first is computed at once.
        var tasks = await turn.submit(0..<3, to: scheduler)
        try await wait { scheduler.waiting.items == 2 }
        gate.open()
        for (item, task) in tasks.enumerated() { #expect(try await task.value == 2 * item) }
        tasks = await turn.submit(3..<9, to: scheduler)
        for (index, task) in tasks.enumerated() { #expect(try await task.value == 2 * (index + 3)) }
        #expect(gate.batches == [[0], [1, 2], [3, 4, 5, 6, 7, 8]])
    }

    @Test func manyAtOnceAllGetTheirOwn() async throws {
        let gate = Gate()
        gate.open()
        let scheduler = Self.scheduler(gate, lanes: (1, 2)) { $0.batchWeight = 7 }
        try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for item in 0..<500 { group.addTask { (item, try await scheduler.submit(item, key: "\(item % 3)", weight: 1 + item % 4, bytes: 1)) } }
            for try await (item, output) in group { #expect(output == 2 * item) }
        }
        #expect(scheduler.waiting == (0, 0))
    }

    /// The delay of one key is its own, also while another that came before it waits for its turn.
    @Test(.timeLimit(.minutes(1))) func aKeyThatMayNotStartDoesNotKeepAnotherWaiting() async throws {
        let gate = Gate()
        let scheduler = Self.scheduler(gate, lanes: (1, 3)) { $0.delay = .milliseconds(100) }
        let runs = ["k", "l"].enumerated().map { index, key in Task { try await scheduler.submit(index, key: key, weight: 1, bytes: 1) } }
        try await wait { gate.batches.count == 2 }
        let blocked = Task { try await scheduler.submit(2, key: "k", weight: 1, bytes: 1) }
        try await wait { scheduler.waiting.items == 1 }
        try await Task.sleep(for: .milliseconds(150))
        // Two wait in `l`, so that one is left when the other is cancelled and its lane free.
        let late = (3...4).map { item in Task { try await scheduler.submit(item, key: "l", weight: 1, bytes: 1) } }
        try await wait { scheduler.waiting.items == 3 }
        runs[1].cancel()
        await #expect(throws: CancellationError.self) { try await runs[1].value }
        try await wait { gate.batches.count == 3 }
        #expect(gate.batches[2].sorted() == [3, 4])
        gate.open()
        for task in [runs[0], blocked] + late { _ = try await task.value }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ make: () async throws -> Success) async {
        do { self = .success(try await make()) } catch { self = .failure(error) }
    }
}
