import Testing

@testable import HTTPServer

@Suite("A client's pace")
struct PaceTests {
    private let now = ContinuousClock.now

    /// Seconds left after octets that came, a number each tenth of a second.
    private func left(_ octets: [Int], slack: Double = 2, rate: Int = 100) -> Double {
        var pace = Pace(slack: .seconds(slack), rate: rate)
        for count in octets { pace.progress(count, in: .milliseconds(100)) }
        return (pace.deadline(from: now) - now) / .seconds(1)
    }

    @Test("At the rate or above it the time stays; it is never more than the slack")
    func enough() {
        #expect(left(Array(repeating: 10, count: 1_000)) == 2)
        #expect(left(Array(repeating: 1_000_000, count: 1_000)) == 2)
        #expect(left([.max]) == 2)
    }

    @Test("Below the rate the time runs out, whatever the cuts")
    func tooSlow() {
        #expect(left(Array(repeating: 0, count: 10)).distance(to: 1).magnitude < 1e-9)
        #expect(left(Array(repeating: 5, count: 20)).distance(to: 1).magnitude < 1e-9)
        #expect(left([100] + Array(repeating: 0, count: 19) + [10]).distance(to: 0.1).magnitude < 1e-9)
        #expect(left(Array(repeating: 1, count: 1_000)) == 0)
    }

    @Test("What came early is no credit beyond the slack")
    func noHoard() {
        #expect(left([1_000_000] + Array(repeating: 0, count: 20)).distance(to: 0).magnitude < 1e-9)
    }

    @Test("Without a rate any octet is enough")
    func progressAlone() {
        #expect(left([0, 0, 0, 1], rate: 0) == 2)
        #expect(left([1, 0, 0, 0], rate: 0).distance(to: 1.7).magnitude < 1e-9)
    }
}
