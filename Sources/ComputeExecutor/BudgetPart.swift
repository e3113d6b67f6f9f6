/// One part of a budget, and who waits for it.
struct BudgetPart {
    struct Waiter {
        var id: UInt64
        var bytes: Int
        /// It holds memory of this part already.
        var isGrowth: Bool
        var continuation: CheckedContinuation<MemoryBudget.Lease, any Error>
    }

    var used = 0
    private(set) var waiting: [Waiter] = []
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.bytes } }

    /// False if it may not wait.
    mutating func append(_ waiter: Waiter) -> Bool {
        guard waiter.isGrowth else {
            waiting.append(waiter)
            return true
        }
        guard waiting.first?.isGrowth != true else { return false }
        waiting.insert(waiter, at: 0)
        return true
    }

    mutating func grant(from room: Int) -> Waiter? {
        guard let first = waiting.first, first.bytes <= room else { return nil }
        used += first.bytes
        return waiting.removeFirst()
    }

    mutating func remove(_ id: UInt64) -> CheckedContinuation<MemoryBudget.Lease, any Error>? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).continuation
    }
}
