/// How far behind a least rate a client may fall: what comes at the rate or faster never runs out of time; a client that sends nothing does
/// after `slack`, and one that trickles soon after.
///
/// A bucket of time: it holds `slack` at most, drains with the clock, and every octet puts 1/rate seconds into it.
struct Pace {
    private let slack: Duration
    /// Octets a second; zero asks for progress alone.
    private let rate: Int
    private var left: Duration

    init(slack: Duration, rate: Int) {
        self.slack = slack
        self.rate = rate
        left = slack
    }

    /// When the time runs out, if nothing comes from `now` on.
    func deadline(from now: ContinuousClock.Instant) -> ContinuousClock.Instant { now + left }

    /// - Parameters:
    ///   - octets: What has come.
    ///   - elapsed: The time that it took.
    mutating func progress(_ octets: Int, in elapsed: Duration) {
        let gained: Duration = rate > 0 ? .seconds(Double(octets) / Double(rate)) : octets > 0 ? slack : .zero
        left = max(.zero, min(slack, left - elapsed + gained))
    }
}
