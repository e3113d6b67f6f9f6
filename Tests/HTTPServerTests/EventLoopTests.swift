import Glibc
import Locks
import Testing

@testable import HTTPServer

/// The loop as an executor, without connections.
struct EventLoopTests {
    private actor Guest {
        private let loop: EventLoop
        private(set) var order: [Int] = []
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

        init(on loop: EventLoop) { self.loop = loop }

        func note(_ number: Int) {
            loop.checkIsolated()
            order.append(number)
        }

        /// Starts a task, and returns what it has noted by then.
        func startNow() -> [Int] {
            loop.startNow { _ = Task(executorPreference: loop) { await self.noteTwice() } }
            return order
        }

        private func noteTwice() async {
            order.append(1)
            await Task.yield()
            order.append(2)
        }

        /// Suspends in the middle, so that others come between.
        func noteBefore(_ number: Int, _ pause: @Sendable () async -> Void) async {
            order.append(number)
            await pause()
            loop.checkIsolated()
            order.append(number)
        }
    }

    private func loop(_ change: (inout HTTPServerConfiguration) -> Void = { _ in }) throws -> EventLoop {
        try EventLoop(label: "test.loop", configuration: configured(change))
    }

    @Test func callsAreMadeInTheirOrderOnTheLoop() async throws {
        let loop = try loop()
        defer { loop.stop() }
        let seen = Lock<[Int]>([])
        for number in 0..<1_000 {
            loop.submit { @Sendable in
                loop.checkIsolated()
                seen.withLock { $0.append(number) }
            }
        }
        await loop.settle()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
        #expect(loop.isIsolatingCurrentContext() == false)
    }

    /// From many threads at once: nothing is lost, nothing is done twice, and a loop that sleeps is woken.
    @Test func callsFromManyThreadsAreAllMade() async throws {
        let loop = try loop { $0.wakefulness = .zero }
        defer { loop.stop() }
        let counts = Lock([Int](repeating: 0, count: 2_000))
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask { @Sendable in
                    for number in 0..<100 {
                        loop.submit { @Sendable in counts.withLock { $0[task * 100 + number] += 1 } }
                        if number % 10 == 0 { await Task.yield() }
                    }
                }
            }
        }
        await loop.settle()
        #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test func actorsRunOnTheLoop() async throws {
        let loop = try loop()
        defer { loop.stop() }
        let guest = Guest(on: loop)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { await guest.note(number) } }
        }
        #expect(await guest.order.sorted() == Array(0..<50))
        await guest.noteBefore(1) { await Task.yield() }
        #expect(await guest.order.suffix(2) == [1, 1])
    }

    /// A task that is started now has run to its first suspension when the call returns.
    @Test func whatIsStartedNowHasRun() async throws {
        let loop = try loop()
        defer { loop.stop() }
        let guest = Guest(on: loop)
        #expect(await guest.startNow() == [1])
        #expect(await eventually { await guest.order == [1, 2] })
    }

    /// What was added before the end is done; what comes later, too, on the queue alone.
    @Test func workIsDoneAfterTheEnd() async throws {
        let loop = try loop()
        let count = Lock(0)
        loop.submit { @Sendable in count.withLock { $0 += 1 } }
        loop.stop()
        await loop.settle()
        #expect(count.withLock { $0 } == 1)
        let guest = Guest(on: loop)
        await guest.note(5)
        for _ in 0..<10 { loop.submit { @Sendable in count.withLock { $0 += 1 } } }
        await loop.settle()
        #expect(await guest.order == [5] && count.withLock { $0 } == 11)
    }

    @Test func theBufferIsLentAndComesBack() throws {
        let loop = try loop { $0.receiveOctets = 100 }
        defer { loop.stop() }
        var lent = loop.takeBuffer()
        #expect(lent == [UInt8](repeating: 0, count: 100))
        lent[3] = 9
        // While it is away another is made.
        #expect(loop.takeBuffer()[3] == 0)
        loop.giveBack(lent)
        #expect(loop.takeBuffer()[3] == 9)
    }

    @Test func theDateIsThatOfNow() throws {
        let loop = try loop()
        defer { loop.stop() }
        let before = time(nil)
        let text = loop.dateText()
        let after = time(nil)
        #expect((before...after).contains { HTTPDateText.of($0) == text })
        #expect(loop.dateText().count == text.count)
    }
}

/// `Date` by the C library, whose locale is C here.
private enum HTTPDateText {
    static func of(_ seconds: time_t) -> [UInt8] {
        var (seconds, parts) = unsafe (seconds, tm())
        _ = unsafe gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return text[..<count].map { UInt8(bitPattern: $0) }
    }
}
