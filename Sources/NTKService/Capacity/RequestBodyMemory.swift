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

    func reserveNow(_ bytes: Int) -> Lease? { budget.reserveBodyNow(bytes) }

    func reserve(_ bytes: Int, isGrowth: Bool) async throws(HTTPRejection) -> Lease? {
        do {
            return try await budget.reserveBody(bytes, isGrowth: isGrowth)
        } catch let exhausted as MemoryBudget.Exhausted {
            rejections.increment()
            var rejection = HTTPRejection.serviceUnavailable("The memory for bodies of requests is in use.", "RFC 9110 §15.6.4")
            rejection.retryAfterSeconds = exhausted.retryAfterSeconds
            throw rejection
        } catch {
            return nil
        }
    }
}
