import Gateway
import Testing

@Suite struct RateLimiterTests {
    private let start = ContinuousClock.now

    @Test func limitsAreReadStrictly() {
        #expect(RateLimit("600/min") == RateLimit(requests: 600, seconds: 60))
        #expect(RateLimit("5/s") == RateLimit(requests: 5, seconds: 1))
        #expect(RateLimit("1/day") == RateLimit(requests: 1, seconds: 86_400))
        for text in ["", "5", "5/", "/s", "0/s", "-5/s", "+5/s", "5/week", "5/s/s", "5 /s", "99999999999999999999/s", "٥/s"] {
            #expect(RateLimit(text) == nil)
        }
        #expect(RateLimit(requests: 100, seconds: 60).policyField == "\"default\";q=100;w=60")
    }

    /// Of n requests in a window exactly as many are granted as the limit says, and what is left is told.
    @Test func aWindowGrantsItsNumber() {
        let limiter = RateLimiter(RateLimit(requests: 3, seconds: 10), now: start)
        for left in [2, 1, 0] {
            let allowance = limiter.take("a", now: start + .seconds(4))
            #expect(allowance.isGranted && allowance.remaining == left && allowance.resetSeconds == 10)
        }
        let refused = limiter.take("a", now: start + .milliseconds(13_001))
        #expect(!refused.isGranted && refused.remaining == 0 && refused.resetSeconds == 1)
        #expect(refused.field == "\"default\";r=0;t=1")
        #expect(limiter.take("b", now: start + .seconds(5)).isGranted, "another client")
        #expect(limiter.look("a", now: start + .seconds(14)).remaining == 3)
        #expect(limiter.take("a", now: start + .seconds(14)).remaining == 2, "a new window")
    }

    /// Names that Unicode takes for equal are those of two clients.
    @Test func namesAreComparedByCodePoints() {
        let limiter = RateLimiter(RateLimit(requests: 1, seconds: 10), now: start)
        for name in ["\u{E9}", "e\u{301}", "K", "\u{212A}"] {
            #expect(limiter.take(name, now: start).isGranted)
            #expect(!limiter.take(name, now: start).isGranted && limiter.look(name, now: start).remaining == 0)
        }
    }

    /// The tables turn over while windows last; none is forgotten early.
    @Test func aWindowOutlivesARotation() {
        let limiter = RateLimiter(RateLimit(requests: 1, seconds: 10), now: start)
        #expect(limiter.take("a", now: start + .seconds(9)).isGranted)
        for second in 10..<19 {
            _ = limiter.take("b\(second)", now: start + .seconds(second))
            #expect(!limiter.take("a", now: start + .seconds(second)).isGranted)
        }
        #expect(limiter.take("a", now: start + .seconds(19)).isGranted)
    }

    @Test func threadsTogetherGetWhatOneWould() async {
        let limiter = RateLimiter(RateLimit(requests: 500, seconds: 3_600))
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { (0..<200).filter { _ in limiter.take("a").isGranted }.count } }
            return await group.reduce(0, +)
        }
        #expect(granted == 500)
    }
}
