internal import ComputeExecutor
internal import Locks

/// The memory of work that goes on until it notices that nobody waits for it: it is held until that, and not a moment longer.
final class HeldLeases: Sendable {
    private let leases: Lock<[MemoryBudget.Lease]>

    init(_ leases: [MemoryBudget.Lease]) { self.leases = Lock(leases) }

    func release() {
        let last = leases.withLock { leases in
            defer { leases = [] }
            return leases
        }
        withExtendedLifetime(last) {}
    }
}
