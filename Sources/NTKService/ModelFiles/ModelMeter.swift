internal import FiniteNetworks
internal import LinearAlgebra
internal import Locks

/// Memory for the constants of a program, taken of the allowance of the request that is read while the program is compiled, so that none is
/// taken that the request may not have; it also ends a compilation that was cancelled.
final class ModelMeter: Sendable {
    private struct State {
        var bytes: Int
        var problem: ProblemDetails?
    }

    /// Bytes of a graph's constants that need no reservation.
    private static let small = 1 << 20

    private let allowance: Allowance?
    private let state: Lock<State>

    /// - Parameter bytes: of the constants that the file has.
    /// - Throws: that there is not so much; on an event loop always, so that the request is read on a worker.
    init(_ bytes: Int) throws(ProblemDetails) {
        allowance = Allowance.current
        let all = bytes.addingClamped(Self.small)
        state = Lock(State(bytes: all))
        if allowance != nil {
            try Allowance.take(all)
        } else if !CurrentWork.isUnderWay {
            throw Allowance.missing(all)
        }
    }

    /// Bytes that were taken.
    var bytes: Int { state.withLock { $0.bytes } }
    /// Why the compilation was ended.
    var problem: ProblemDetails? { state.withLock { $0.problem } }

    /// What a graph may be whose compilation this counts.
    var limits: GraphLimits {
        var limits = GraphLimits()
        limits.bytes = allowance?.limit ?? limits.bytes
        let left = Lock(Self.small)
        limits.meter = { bytes in
            let more = left.withLock { left in
                left -= bytes
                guard left < 0 else { return 0 }
                defer { left = 0 }
                return -left
            }
            return self.take(more)
        }
        return limits
    }

    private func take(_ more: Int) -> Bool {
        do throws(ProblemDetails) {
            if CurrentWork.isCancelled { throw .unavailable("the request was cancelled") }
            if let allowance {
                do { try allowance.checkCancellation() } catch { throw ProblemDetails.unavailable("the request was cancelled") }
                if more > 0 { try Allowance.take(more) }
            }
            state.withLock { $0.bytes += more }
            return true
        } catch {
            var problem = error
            // What comes next will need more, too: as much again, so that few attempts are made.
            if problem.missingBytes > 0 { problem.missingBytes = problem.missingBytes.addingClamped(bytes) }
            state.withLock { $0.problem = problem }
            return false
        }
    }
}
