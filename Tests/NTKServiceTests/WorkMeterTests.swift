import LinearAlgebra
import Testing

@testable import NTKService

/// Rates are learned for each kind of work, by bounded steps.
struct WorkMeterTests {
    private static let fit = Work.cholesky(12_000) + Work(.products, 1e12)
    private static let small = Work(.quadrature, 2e7) + Work(.calls, 100)

    /// A fit is not estimated anew because small requests of another kind took long.
    @Test func aKindLearnsNothingOfOthers() {
        let meter = WorkMeter(width: 2)
        let before = meter.seconds(Self.fit)
        for _ in 0..<20 { meter.learn(Self.small, in: .seconds(1)) }
        #expect(abs(meter.seconds(Self.fit) / before - 1) < 0.01)
        #expect(meter.seconds(Self.small) > 10 * Self.small.seconds / 2)
    }

    @Test func itComesToWhatIsTaken() {
        let meter = WorkMeter(width: 2)
        let work = Work(.products, 1e11)
        let truth = 3 * meter.seconds(work)
        for _ in 0..<40 { meter.learn(work, in: .seconds(truth)) }
        #expect(abs(meter.seconds(work) / truth - 1) < 0.02)
    }

    /// One computation that was held up, by whatever, does not count for much.
    @Test func oneSurpriseIsBounded() {
        let meter = WorkMeter(width: 2)
        let before = meter.seconds(Self.fit)
        meter.learn(Self.fit, in: .seconds(1_000_000))
        #expect(meter.seconds(Self.fit) < 1.5 * before)
        for _ in 0..<10_000 { meter.learn(Self.fit, in: .seconds(1_000_000)) }
        #expect(meter.seconds(Self.fit) < 31 * before)
        meter.learn(Self.fit, in: .nanoseconds(5))
        #expect(meter.seconds(Self.fit) > 10 * before, "what takes no time at all says nothing")
    }

    /// What is all overhead says nothing of the rest.
    @Test func overheadIsAKindOfItsOwn() {
        let meter = WorkMeter(width: 2)
        let before = meter.seconds(Self.fit)
        for _ in 0..<50 { meter.learn(Work(.calls, 50) + Work(.products, 1e5), in: .milliseconds(20)) }
        #expect(abs(meter.seconds(Self.fit) / before - 1) < 0.01)
    }

    @Test func whatWasLearnedFades() {
        let start = ContinuousClock.now
        let meter = WorkMeter(width: 2, now: start)
        let work = Work(.loops, 1e11)
        let before = meter.seconds(work)
        for _ in 0..<40 { meter.learn(work, in: .seconds(4 * before), now: start) }
        let learned = meter.seconds(work) / before
        // Whatever comes a day later finds hardly anything of it.
        meter.learn(Work(.products, 1e9), in: .milliseconds(15), now: start + .seconds(86_400))
        #expect(learned > 3.5 && abs(meter.seconds(work) / before - 1) < 0.01)
    }

    @Test func countsStayFinite() {
        let huge = Work(.products, 1e300) * 1e300 + Work.cholesky(.max) * Double.greatestFiniteMagnitude
        #expect(huge.seconds.isFinite && huge.operations > 0)
        #expect(Work(.loops, .nan).seconds.isFinite && (Work(.loops, -1) * -5).seconds >= 0)
        #expect(Work(.memory, 1e9).operations == 0 && Work(.series, 10).operations == 10)
        let alone = Work(.products, 1e10).onOneThread
        #expect(alone.parts(threads: 8) == alone.parts(threads: 1))
    }
}
