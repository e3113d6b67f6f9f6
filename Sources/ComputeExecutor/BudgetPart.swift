/// One part of a budget, and the requests that wait for it.
struct BudgetPart {
    struct Waiter {
        var id: UInt64
        var bytes: Int
        /// Of the body that it is for, what it is known by and what it has; nil where it is for none.
        var body: (age: UInt64, held: Int)?
        /// The requests that wait for what this is for.
        var followers: MemoryBudget.Followers?
        /// More of a part of which the body has some. Those go first, the oldest of them before the others.
        var isGrowth = false
        /// Of a body that is new.
        var claim: BodyClaims.Claim?
        var continuation: CheckedContinuation<MemoryBudget.Lease, any Error>

        /// Bytes of bodies that are held while it waits.
        var held: Int { (body?.held ?? 0) + (followers?.held ?? 0) }
    }

    /// Whether one that waits may go now, for other reasons than room.
    enum Gate {
        case isOpen
        /// Nor may those behind it.
        case isClosed
        /// Those behind it need not wait for that.
        case isPassed
    }

    var used = 0
    private(set) var waiting: [Waiter] = []
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.bytes } }

    mutating func append(_ waiter: Waiter) {
        var place = waiting.endIndex
        if waiter.isGrowth, let age = waiter.body?.age {
            place = waiting.firstIndex { other in !other.isGrowth || (other.body?.age ?? 0) > age } ?? place
        }
        waiting.insert(waiter, at: place)
    }

    /// Takes out the next that can have what it waits for.
    mutating func grant(from room: Int, _ gate: (Waiter) -> Gate) -> Waiter? {
        for index in waiting.indices {
            switch gate(waiting[index]) {
            case .isPassed: continue
            case .isOpen where waiting[index].bytes <= room:
                used += waiting[index].bytes
                return waiting.remove(at: index)
            case .isOpen, .isClosed: return nil
            }
        }
        return nil
    }

    /// Takes out the youngest of those that hold memory of bodies while they wait, if they would wait for each other: where the first would not
    /// have what it needs when all others have ended that do not wait.
    /// - Parameters:
    ///   - total: what there is of what they hold and wait for.
    ///   - others: bytes of it that are held by requests that wait for these elsewhere.
    mutating func breakDeadlock(total: Int, others: Int = 0) -> Waiter? {
        let holding = waiting.indices.filter { waiting[$0].held > 0 }
        guard let first = waiting.first, let youngest = holding.max(by: { age($0) < age($1) }) else { return nil }
        let held = holding.reduce(others) { $0 + waiting[$1].held }
        return first.bytes.addingReportingOverflow(held).partialValue > total ? waiting.remove(at: youngest) : nil
    }

    private func age(_ index: Int) -> UInt64 { waiting[index].body?.age ?? 0 }

    mutating func remove(_ id: UInt64) -> CheckedContinuation<MemoryBudget.Lease, any Error>? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).continuation
    }
}
