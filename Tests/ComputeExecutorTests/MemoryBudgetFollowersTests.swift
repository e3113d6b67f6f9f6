import ComputeExecutor
import TestSupport
import Testing

struct MemoryBudgetFollowersTests {
    /// One waits for memory that those hold who wait for what it is for: it is refused, and so that is told apart from memory that does not come.
    @Test(.timeLimit(.minutes(1))) func whoFollowsWaitsWithItsBody() async throws {
        let budget = MemoryBudget(bytes: 16 << 20, patience: .seconds(600))
        let followers = MemoryBudget.Followers()
        var bodies = (0..<3).map { _ in budget.reserveBodyNow(1 << 20) }
        let (first, second, third) = (bodies[0], bodies[1], bodies[2])
        guard let first, let second, let third else {
            Issue.record("no room")
            return
        }
        bodies = []
        // Of 15 MB there are 12 beside them, and 13 when one of them has ended.
        let leads = Task { try await budget.reserve(25 << 19, for: first, isAll: false, followers: followers) }
        try await wait { budget.usage.waiting >= 1 }
        budget.join(followers, with: second)
        #expect(budget.usage.waiting == 1)
        budget.join(followers, with: third)
        do {
            _ = try await leads.value
            Issue.record("there is no memory")
        } catch let exhausted as MemoryBudget.Exhausted {
            #expect(exhausted.endsDeadlock)
        }
        // The next leads, and the first one ends.
        followers.remove(second)
        let next = Task { try await budget.reserve(25 << 19, for: second, isAll: false, followers: followers) }
        try await wait { budget.usage.waiting >= 1 }
        first.shrink(to: 0)
        #expect(try await next.value.bytes == 25 << 19)
        // None waits for memory now.
        budget.join(followers, with: first)
        #expect(budget.usage.waiting == 0 && budget.usage.rejections == 1)
    }

    /// Memory that does not come for another reason is no deadlock.
    @Test func noPatienceIsNoDeadlock() async throws {
        let budget = MemoryBudget(bytes: 16 << 20, patience: .zero)
        let lease = budget.reserveNow(14 << 20)
        let body = budget.reserveBodyNow(512 << 10)
        do {
            _ = try await budget.reserve(10 << 20, for: body, isAll: false, followers: MemoryBudget.Followers())
            Issue.record("there is no memory")
        } catch let exhausted as MemoryBudget.Exhausted {
            #expect(!exhausted.endsDeadlock)
        }
        withExtendedLifetime(lease) {}
    }

    /// What a body yet needs is claimed until it has all of it: else bodies come in that leave it no room.
    @Test func aBodyThatNeedsMoreKeepsItsClaim() async throws {
        for isAll in [true, false] {
            let budget = MemoryBudget(bytes: 64 << 20)
            let body = budget.reserveBodyNow(6 << 20)
            #expect(body != nil)
            _ = try await budget.reserve(1 << 20, for: body, isAll: isAll)
            // Of 60 MB 45 are left for what the first one becomes; else bodies may have 30.
            var others: [MemoryBudget.Lease] = []
            while let other = budget.reserveBodyNow(2 << 20) { others.append(other) }
            #expect(others.count == (isAll ? 12 : 4))
            withExtendedLifetime((body, others)) {}
        }
    }
}
