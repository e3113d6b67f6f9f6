internal import ComputeExecutor
package import HTTP1
internal import Metrics

extension NTKService {
    /// What connections ask for memory before they read a body.
    package var bodyMemory: any BodyMemory { RequestBodyMemory(budget: capacity.memory, rejections: metrics.batches.rejections[.memory]) }
}

/// The part of the budget that bodies of requests share.
private struct RequestBodyMemory: BodyMemory {
    let budget: MemoryBudget
    let rejections: Counter

    var largest: Int { budget.largestBody }

    func reserveNow(_ bytes: Int, growth: Int) -> Lease? {
        budget.reserveBodyNow(bytes, growth: growth).map { RequestBodyLease($0, budget, rejections) }
    }

    func reserve(_ bytes: Int, growth: Int) async throws(HTTPRejection) -> Lease? {
        let lease = try await rejections.counting { try await budget.reserveBody(bytes, growth: growth) }
        return lease.map { RequestBodyLease($0, budget, rejections) }
    }
}

/// The memory of the body of one request.
final class RequestBodyLease: BodyLease {
    let lease: MemoryBudget.Lease
    private let budget: MemoryBudget
    private let rejections: Counter

    init(_ lease: MemoryBudget.Lease, _ budget: MemoryBudget, _ rejections: Counter) {
        self.lease = lease
        self.budget = budget
        self.rejections = rejections
    }

    var bytes: Int { lease.bytes }

    func growNow(by bytes: Int) -> Bool { budget.growNow(lease, by: bytes) }

    func grow(by bytes: Int) async throws(HTTPRejection) -> Bool {
        try await rejections.counting { try await budget.grow(lease, by: bytes) } != nil
    }

    func shrink(to bytes: Int) { lease.shrink(to: bytes) }
    func endGrowth() { budget.endGrowth(lease) }
}

extension Counter {
    /// Nil if the task was cancelled.
    fileprivate func counting<Value>(_ reserve: () async throws -> Value) async throws(HTTPRejection) -> Value? {
        do {
            return try await reserve()
        } catch let exhausted as MemoryBudget.Exhausted {
            increment()
            var rejection = HTTPRejection.serviceUnavailable("The memory for bodies of requests is in use.", "RFC 9110 §15.6.4")
            rejection.retryAfterSeconds = exhausted.retryAfterSeconds
            throw rejection
        } catch {
            return nil
        }
    }
}

extension ServerRequest {
    /// The memory of the body, in the budget.
    var bodyLease: MemoryBudget.Lease? { (lease as? RequestBodyLease)?.lease }
}
