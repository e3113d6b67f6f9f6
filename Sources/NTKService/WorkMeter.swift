internal import ComputeExecutor
internal import Glibc
internal import LinearAlgebra
internal import Locks

/// How long work takes on this machine: by the rates that are known of its kind, corrected by what computations have taken.
///
/// Each kind of work has a correction of its own. A computation corrects the kinds of which it mostly consisted, by a bounded step and
/// within bounds, so that no strange one spoils what is said of others; and a correction fades, so that what was learned in an hour of heavy
/// load does not hold on the next day.
final class WorkMeter: Sendable {
    private struct State {
        /// Logarithms of how much slower each kind is than the standard rates say.
        var corrections = Work.Counts.zero
        var last: ContinuousClock.Instant
    }

    private let state: Lock<State>
    /// Cores that compute.
    private let width: Int

    /// What is shorter says more of the moment than of the machine.
    private static let leastSeconds = 1e-3
    /// What one computation changes: at most a fifth of e^±1.5 each.
    private static let (step, mostSurprise) = (0.2, 1.5)
    /// A correction is at most a factor of thirty.
    private static let mostCorrection = 3.4
    /// Half of a correction is forgotten in this time.
    private static let halfLife = Duration.seconds(3_600)

    init(width: Int, now: ContinuousClock.Instant = .now) {
        self.width = width
        state = Lock(State(last: now))
    }

    /// Seconds that `work` takes with all cores.
    func seconds(_ work: Work) -> Double { parts(work, state.withLock { $0.corrections }).sum() }

    private func parts(_ work: Work, _ corrections: Work.Counts) -> Work.Counts {
        var factors = corrections
        for kind in factors.indices { factors[kind] = exp(corrections[kind]) }
        return work.parts(threads: width, Work.Rates.standard.slower(by: factors))
    }

    /// Does what `work` describes, and learns from how long it takes, unless other work shared the machine with it.
    func time<Result>(
        _ work: Work, on executor: ComputeExecutor, _ compute: () throws -> Result
    ) rethrows -> (Result, start: ContinuousClock.Instant, duration: Duration) {
        let (start, wasAlone) = (ContinuousClock.now, executor.runningCount <= 1)
        let result = try compute()
        let duration = ContinuousClock.now - start
        if wasAlone, executor.runningCount <= 1 { learn(work, in: duration) }
        return (result, start, duration)
    }

    /// Learns from a computation that had the machine for itself.
    func learn(_ work: Work, in duration: Duration, now: ContinuousClock.Instant = .now) {
        let seconds = duration / .seconds(1)
        guard seconds >= Self.leastSeconds else { return }
        state.withLock { state in
            let kept = exp2(-((now - state.last) / Self.halfLife))
            state.last = now
            state.corrections *= min(max(kept, 0), 1)
            let parts = parts(work, state.corrections)
            let expected = parts.sum()
            guard expected > 0 else { return }
            let surprise = min(max(log(seconds / expected), -Self.mostSurprise), Self.mostSurprise)
            // Weighed twice by its share, so that what was a small part of it learns next to nothing.
            let shares = parts / expected
            state.corrections += Self.step * surprise * shares * shares
            state.corrections.clamp(
                lowerBound: .init(repeating: -Self.mostCorrection), upperBound: .init(repeating: Self.mostCorrection))
        }
    }
}
