import Batching
import Locks
import Synchronization
import TestSupport
import Testing

struct SingleFlightTests {
    struct Fault: Error {}

    final class Calls: Sendable {
        let count = Atomic(0)
        let isOpen = Atomic(false)

        func make() async throws -> Int {
            let call = count.add(1, ordering: .relaxed).newValue
            while !isOpen.load(ordering: .relaxed) {
                try Task.checkCancellation()
                await Task.yield()
            }
            return call
        }
    }

    @Test func equalRequestsInFlightAreComputedOnce() async throws {
        let (flights, calls) = (SingleFlight<String, Int>(), Calls())
        let tasks = (0..<20).map { _ in Task { try await flights.value(for: "a") { try await calls.make() } } }
        let other = Task { try await flights.value(for: "b") { 7 } }
        #expect(try await other.value.value == 7)
        // All are on their way: let them meet.
        for _ in 0..<10_000 { await Task.yield() }
        calls.isOpen.store(true, ordering: .relaxed)
        var shared = 0
        for task in tasks {
            let (value, isShared) = try await task.value
            #expect((1...20).contains(value))
            shared += isShared ? 1 : 0
        }
        #expect(shared + calls.count.load(ordering: .relaxed) == 20 && shared > 0)
        // What has landed is not kept.
        #expect(try await flights.value(for: "a") { -1 }.value == -1)
    }

    @Test func othersGoOnWhereTheFirstIsGone() async throws {
        let (flights, calls) = (SingleFlight<String, Int>(), Calls())
        let first = Task { try await flights.value(for: "a") { try await calls.make() } }
        try await wait { calls.count.load(ordering: .relaxed) >= 1 }
        let second = Task { try await flights.value(for: "a") { try await calls.make() } }
        let third = Task { try await flights.value(for: "a") { try await calls.make() } }
        for _ in 0..<10_000 { await Task.yield() }
        third.cancel()
        await #expect(throws: CancellationError.self) { try await third.value }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        calls.isOpen.store(true, ordering: .relaxed)
        #expect(try await second.value.value == 2)
    }

    @Test func errorsAreShared() async throws {
        let flights = SingleFlight<String, Int>()
        await #expect(throws: Fault.self) { try await flights.value(for: "a") { throw Fault() } }
    }

    /// The time that one request has is not that of another.
    @Test func errorsOfTheFirstAloneAreNotShared() async throws {
        let flights = SingleFlight<String, Int>(isOwn: { $0 is Fault })
        let isOpen = Lock(false)
        let first = Task {
            try await flights.value(for: "a") {
                try await wait { isOpen.withLock({ $0 }) }
                throw Fault()
            }
        }
        for _ in 0..<10_000 { await Task.yield() }
        let second = Task { try await flights.value(for: "a") { 2 } }
        for _ in 0..<10_000 { await Task.yield() }
        isOpen.withLock { $0 = true }
        await #expect(throws: Fault.self) { try await first.value }
        #expect(try await second.value.value == 2)
    }
}
