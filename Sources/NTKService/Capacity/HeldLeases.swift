internal import ComputeExecutor
internal import Locks

/// The memory of cancelled work, which goes on until it notices: it is held until then.
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
