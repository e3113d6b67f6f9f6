import Batching
import Testing

struct BatchQueueTests {
    typealias Queue = BatchQueue<String, Int>

    static let start = ContinuousClock.now

    static func queue(_ change: (inout BatchLimits) -> Void = { _ in }) -> Queue {
        var limits = BatchLimits()
        change(&limits)
        return Queue(limits: limits)
    }

    static func entry(_ id: UInt64, weight: Int = 1, bytes: Int = 10, after delay: Duration = .zero) -> Queue.Entry {
        Queue.Entry(id: id, item: Int(id), weight: weight, bytes: bytes, arrival: start + delay)
    }

    @Test func onlyEqualKeysShareABatchAndKeysAreServedInTurn() {
        var queue = Self.queue { $0.batchWeight = 3 }
        for id in 0..<8 { queue.add(Self.entry(UInt64(id)), key: "busy") }
        queue.add(Self.entry(8), key: "other")
        var served: [(String, [Int])] = []
        while let batch = queue.next(now: Self.start, isIdle: false, mayStart: { _ in true }) {
            served.append((batch.key, batch.entries.map(\.item)))
        }
        #expect(served.map(\.0) == ["busy", "other", "busy", "busy"])
        #expect(served.map(\.1) == [[0, 1, 2], [8], [3, 4, 5], [6, 7]])
        #expect(queue.count == 0 && queue.bytes == 0 && queue.weight == 0)
    }

    @Test func sizeIsWeighed() {
        var queue = Self.queue { $0.batchWeight = 10 }
        for (id, weight) in [4, 5, 2, 50, 1].enumerated() { queue.add(Self.entry(UInt64(id), weight: weight), key: "k") }
        var batches: [[Int]] = []
        while let batch = queue.next(now: Self.start, isIdle: false, mayStart: { _ in true }) { batches.append(batch.entries.map(\.item)) }
        // What weighs more than a batch may goes alone.
        #expect(batches == [[0, 1], [2], [3], [4]])
    }

    /// A delay counts from the arrival of the oldest, and only while others compute.
    @Test func closesWhenFullWhenTheOldestHasWaitedOrWhenIdle() {
        func queue() -> Queue {
            var queue = Self.queue {
                $0.delay = .milliseconds(5)
                $0.batchWeight = 2
            }
            queue.add(Self.entry(0), key: "k")
            return queue
        }
        var one = queue()
        #expect(one.next(now: Self.start + .milliseconds(4), isIdle: false, mayStart: { _ in true }) == nil)
        #expect(one.nextDue { _ in true } == Self.start + .milliseconds(5))
        #expect(one.next(now: Self.start + .milliseconds(5), isIdle: false, mayStart: { _ in true })?.entries.count == 1)
        var idle = queue()
        #expect(idle.next(now: Self.start, isIdle: true, mayStart: { _ in true })?.entries.count == 1)
        var full = queue()
        full.add(Self.entry(1, after: .milliseconds(4)), key: "k")
        #expect(full.nextDue { _ in true } == Self.start + .milliseconds(5))
        #expect(full.next(now: Self.start + .milliseconds(4), isIdle: false, mayStart: { _ in true })?.entries.count == 2)
    }

    @Test func isBoundedInItemsAndBytes() {
        var queue = Self.queue {
            $0.queueItems = 2
            $0.queueBytes = 25
        }
        #expect(queue.hasRoom(bytes: 1_000) == (true, true))
        queue.add(Self.entry(0), key: "k")
        #expect(queue.hasRoom(bytes: 15) == (true, true) && queue.hasRoom(bytes: 16) == (true, false))
        queue.add(Self.entry(1), key: "l")
        #expect(queue.hasRoom(bytes: 1).items == false)
        #expect(queue.remove(0, key: "k")?.item == 0 && queue.remove(0, key: "k") == nil)
        #expect(queue.hasRoom(bytes: 15) == (true, true) && queue.count == 1 && queue.isEmpty("k"))
        #expect(queue.next(now: Self.start, isIdle: false, mayStart: { $0 != "l" }) == nil)
    }
}
