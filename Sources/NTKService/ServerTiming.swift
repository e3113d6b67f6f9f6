/// The `Server-Timing` field: milliseconds spent in each step of a request.
struct ServerTiming: Sendable {
    private var parts: [String] = []
    private var last = ContinuousClock.now

    /// Ends the step that began when the last one ended.
    /// - Parameter now: when it ended.
    mutating func end(_ name: String, at now: ContinuousClock.Instant = .now) {
        let (seconds, attoseconds) = (now - last).components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let fraction = String(1_000 + microseconds % 1_000).dropFirst()
        parts.append("\(name);dur=\(microseconds / 1_000).\(fraction)")
        last = now
    }

    var value: String { parts.joined(separator: ", ") }
}
