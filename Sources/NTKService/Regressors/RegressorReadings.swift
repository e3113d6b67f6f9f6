internal import Batching
internal import ComputeExecutor
internal import Locks

/// The regressors that are being read: each once, with one reservation, for all requests that ask for it meanwhile.
final class RegressorReadings: Sendable {
    /// What was refused so that others go on says nothing to them; what has waited for too long has done so for all.
    private let flights = SingleFlight<String, Regressor> { ($0 as? MemoryBudget.Exhausted)?.endsDeadlock ?? false }
    /// By regressor: the requests that wait for its reading, and how many requests there are.
    private let asked = Lock<[String: (followers: MemoryBudget.Followers, count: Int)]>([:])

    /// - Parameters:
    ///   - body: of the request, which holds it while another one reads.
    ///   - read: reserves and reads, for the requests that wait, too.
    func value(
        _ id: String, _ memory: MemoryBudget, holding body: MemoryBudget.Lease?, _ read: (MemoryBudget.Followers) async throws -> Regressor
    ) async throws -> Regressor {
        let followers = enter(id)
        defer { leave(id) }
        guard let body else { return try await flights.value(for: id) { try await read(followers) }.value }
        memory.join(followers, with: body)
        defer { followers.remove(body) }
        return try await flights.value(for: id) {
            // It leads.
            followers.remove(body)
            return try await read(followers)
        }.value
    }

    private func enter(_ id: String) -> MemoryBudget.Followers {
        asked.withLock { asked in
            let (followers, count) = asked[id] ?? (MemoryBudget.Followers(), 0)
            asked[id] = (followers, count + 1)
            return followers
        }
    }

    private func leave(_ id: String) {
        asked.withLock { asked in
            guard let (followers, count) = asked[id] else { return }
            asked[id] = count > 1 ? (followers, count - 1) : nil
        }
    }
}
