import ComputeExecutor
import Foundation
import LinearAlgebra
import TestSupport
import Testing

struct MemoryBudgetTests {
    @Test func isNeverExceededAndAllComeToTheirTurn() async throws {
        let budget = MemoryBudget(bytes: 1_600, waiting: 1_000)
        let peaks = await withTaskGroup(of: Int.self) { group in
            for index in 0..<300 {
                group.addTask {
                    guard let lease = try? await budget.reserve(1 + index * 37 % 1_500) else { return .max }
                    let used = budget.usage.used
                    await Task.yield()
                    return withExtendedLifetime(lease) { used }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(peaks.count == 300 && peaks.allSatisfy { (1...1_600).contains($0) }, "\(peaks)")
        #expect(budget.usage.used == 0 && budget.usage.waiting == 0 && budget.usage.rejections == 0)
    }

    @Test func nobodyOvertakesAndSmallOnesDoNotWait() async throws {
        let budget = MemoryBudget(bytes: 25_600)
        var first = budget.reserveNow(20_000)
        #expect(first != nil)
        let second = Task { try await budget.reserve(10_000) }
        try await wait { budget.usage.waiting >= 1 }
        // It would fit, but somebody waits.
        #expect(budget.reserveNow(2_000) == nil && budget.usage.isOver)
        #expect(budget.reserveNow(100) != nil)
        #expect(budget.usage.used == 20_000 && budget.usage.waitingBytes == 10_000)
        first = nil
        #expect(try await second.value.bytes == 10_000)
    }

    @Test func waitingIsBoundedInNumberAndTime() async throws {
        let budget = MemoryBudget(bytes: 1_600, waiting: 1, patience: .milliseconds(50))
        let lease = budget.reserveNow(1_500)
        let waits = Task { try await budget.reserve(1_000) }
        try await wait { budget.usage.waiting >= 1 }
        let refused = await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.reserve(1_000) }
        #expect((1...60).contains(refused?.retryAfterSeconds ?? 0))
        await #expect(throws: MemoryBudget.Exhausted.self) { try await waits.value }
        await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.reserve(1_601) }
        #expect(budget.usage.rejections == 3 && budget.usage.waiting == 0)
        withExtendedLifetime(lease) {}
    }

    @Test func whoGoesAwayMakesRoomForTheNext() async throws {
        let budget = MemoryBudget(bytes: 1_600)
        let lease = budget.reserveNow(1_000)
        let large = Task { try await budget.reserve(1_500) }
        try await wait { budget.usage.waiting >= 1 }
        let fits = Task { try await budget.reserve(400) }
        try await wait { budget.usage.waiting >= 2 }
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        #expect(try await fits.value.bytes == 400)
        withExtendedLifetime(lease) {}
    }

    @Test func bodiesLeaveHalfOfTheMemoryToComputations() async throws {
        let budget = MemoryBudget(bytes: 16 << 20, patience: .milliseconds(50))
        #expect(budget.largest == 15 << 20 && budget.largestBody == (15 << 20) / 2)
        let body = budget.reserveBodyNow(budget.largestBody)
        #expect(body != nil && budget.reserveBodyNow(1 << 20) == nil)
        await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.reserveBody(1 << 20) }
        let computation = budget.reserveNow(budget.largest - budget.largestBody)
        #expect(computation != nil)
        // All is taken but the part for small ones, of which bodies leave half.
        var small: [MemoryBudget.Lease] = []
        while let lease = budget.reserveBodyNow(64 * 1024) { small.append(lease) }
        #expect(small.count == 8)
        while let lease = budget.reserveNow(64 * 1024) { small.append(lease) }
        #expect(small.count == 16 && budget.usage.used == 16 << 20)
        await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.reserveBody(budget.largestBody + 1) }
        withExtendedLifetime((body, computation, small)) {}
    }

    /// More of a body goes before what is new, the oldest body's first; who waits for others that wait for it is refused, the youngest first.
    @Test func bodiesThatGrowDoNotWaitForEachOther() async throws {
        let budget = MemoryBudget(bytes: 16 << 20, patience: .seconds(600))
        var bodies = (0..<3).map { _ in budget.reserveBodyNow(1 << 20) }
        let (first, second, third) = (bodies[0], bodies[1], bodies[2])
        var computed = budget.reserveNow(12 << 20)
        #expect(first != nil && second != nil && third != nil && computed != nil)
        guard let first, let second, let third else { return }
        bodies = []
        let new = Task { try await budget.reserveBody(2 << 20) }
        try await wait { budget.usage.waiting >= 1 }
        // 7.5 MB of bodies, of which this will have 7 when the others have ended; but the third, once it waits, does not.
        let grows = Task { [second] in
            try await budget.grow(second, by: 6 << 20)
            return second.bytes
        }
        try await wait { budget.usage.waiting >= 2 }
        await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.grow(third, by: 1 << 20) }
        #expect(budget.usage.waiting == 2)
        // An older one goes first.
        let before = Task { [first] in try await budget.grow(first, by: 2 << 20) }
        try await wait { budget.usage.waiting >= 3 }
        computed = nil
        try await before.value
        #expect(first.bytes == 3 << 20 && budget.usage.waiting == 2)
        first.shrink(to: 0)
        third.shrink(to: 0)
        #expect(try await grows.value == 7 << 20)
        second.shrink(to: 1 << 20)
        #expect(try await new.value.bytes == 2 << 20)
    }

    /// Bodies that are inflated, and read, into more than half of what there is each: all come to their turn, whoever comes when.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false]) func allBodiesThatFitAloneComeToTheirTurn(isInflated: Bool) async throws {
        let budget = MemoryBudget(bytes: 64 << 20, patience: .seconds(600))
        let (packed, content) = (isInflated ? 5 << 20 : 6 << 20, isInflated ? 19 << 20 : 0)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    let body = try await budget.reserveBody(packed, growth: content)
                    await Task.yield()
                    if isInflated {
                        try await budget.grow(body, by: content)
                        budget.endGrowth(body)
                        body.shrink(to: content)
                    }
                    await Task.yield()
                    let lease = try await budget.reserve(isInflated ? 35 << 20 : 45 << 20, for: body)
                    let used = budget.usage.used
                    await Task.yield()
                    return withExtendedLifetime((body, lease)) { used }
                }
            }
            for try await used in group { #expect(used <= 64 << 20) }
        }
        #expect(budget.usage.used == 0 && budget.usage.waiting == 0 && budget.usage.rejections == 0)
    }

    /// What comes slowly keeps no large body out.
    @Test func aLargeBodyComesInBesideASmallOne() {
        let budget = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let slow = budget.reserveBodyNow(100_000)
        let large = budget.reserveBodyNow(20 << 20)
        #expect(slow != nil && large != nil)
        // But not beside one that may need the rest.
        #expect(budget.reserveBodyNow(20 << 20) == nil)
        withExtendedLifetime((slow, large)) {}
    }

    /// A body that was small, grew and became small again claims nothing when it is gone, nor before.
    @Test func smallBodiesThatGrewLeaveNoClaim() {
        let budget = MemoryBudget(bytes: 64 << 20, waiting: 0)
        for isGone in [false, true] {
            guard let body = budget.reserveBodyNow(100) else {
                Issue.record("no room for a small body")
                return
            }
            #expect(budget.growNow(body, by: 20 << 20))
            body.shrink(to: 100)
            if !isGone { #expect(budget.reserveBodyNow(budget.largestBody) != nil) }
        }
        #expect(budget.reserveBodyNow(budget.largestBody) != nil && budget.usage.used == 0)
    }

    /// A body that is inflated is no reason for others to wait, but for those that are inflated, too.
    @Test func othersPassBodiesThatAreInflated() async throws {
        let budget = MemoryBudget(bytes: 64 << 20, patience: .seconds(600))
        var first = budget.reserveBodyNow(8 << 20, growth: 20 << 20)
        #expect(first != nil && budget.reserveBodyNow(3 << 20, growth: 20 << 20) == nil)
        let second = Task { try await budget.reserveBody(3 << 20, growth: 20 << 20) }
        try await wait { budget.usage.waiting >= 1 }
        #expect(budget.reserveBodyNow(1 << 20) != nil)
        first = nil
        #expect(try await second.value.bytes == 3 << 20)
    }

    /// Also who may not wait at all is told so.
    @Test(.timeLimit(.minutes(1))) func noPatienceIsBounded() async throws {
        let budget = MemoryBudget(bytes: 1_600, patience: .zero)
        let lease = budget.reserveNow(1_500)
        for _ in 0..<2_000 { await #expect(throws: MemoryBudget.Exhausted.self) { try await budget.reserve(1_000) } }
        withExtendedLifetime(lease) {}
    }

    /// Freed blocks are memory, too: what is reserved and what is kept of them stay within the budget together.
    @Test func freedBlocksAreGivenBackForWhatIsAskedFor() async throws {
        let budget = MemoryBudget(bytes: 128 << 20, recycled: 64 << 20)
        defer { RecycledBlocks.keep(upTo: 0) }
        func compute(_ bytes: Int, _ lease: MemoryBudget.Lease?) {
            _ = Storage<Double>(count: bytes / 8)
            withExtendedLifetime(lease) {}
        }
        compute(24 << 20, budget.reserveNow(24 << 20))
        compute(16 << 20, budget.reserveNow(16 << 20))
        #expect(budget.usage.used == 0 && RecycledBlocks.keptBytes > 0 && RecycledBlocks.keptBytes <= 64 << 20)
        let kept = RecycledBlocks.keptBytes
        // There is room beside them.
        var lease = budget.reserveNow((128 << 20) - kept)
        #expect(lease != nil && RecycledBlocks.keptBytes == kept)
        let waits = Task { try await budget.reserve(100 << 20) }
        try await wait { budget.usage.waiting >= 1 }
        var more = budget.growNow(kept - (16 << 20))
        #expect(more != nil && RecycledBlocks.keptBytes <= 16 << 20 && RecycledBlocks.keptBytes + budget.usage.used <= 128 << 20)
        // What is freed while everything is in use is not kept.
        let rest = budget.growNow(8 << 20)
        #expect(rest != nil && RecycledBlocks.keptBytes == 0)
        compute(24 << 20, rest)
        #expect(RecycledBlocks.keptBytes == 0)
        (lease, more) = (nil, nil)
        withExtendedLifetime(rest) {}
        // Also who waited finds room.
        let last = try await waits.value
        compute(64 << 20, last)
        #expect(RecycledBlocks.keptBytes + budget.usage.used <= 128 << 20)
    }

    @Test func whoHasMemoryMayTakeMoreBeforeWhoWaits() async throws {
        let budget = MemoryBudget(bytes: 1_600)
        var first = budget.reserveNow(1_000)
        let waits = Task { try await budget.reserve(600) }
        try await wait { budget.usage.waiting >= 1 }
        #expect(budget.reserveNow(400) == nil && budget.growNow(600) == nil)
        var more = budget.growNow(400)
        #expect(first != nil && more != nil && budget.usage.used == 1_400)
        (first, more) = (nil, nil)
        #expect(try await waits.value.bytes == 600)
    }
}
