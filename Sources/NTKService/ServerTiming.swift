/// The `Server-Timing` field: milliseconds spent in each step of a request.
struct ServerTiming: Sendable {
    private var text: [UInt8] = []
    private var last = ContinuousClock.now

    init() { text.reserveCapacity(96) }

    /// Ends the step that began when the last one ended.
    /// - Parameter now: when it ended.
    mutating func end(_ name: StaticString, at now: ContinuousClock.Instant = .now) {
        let (seconds, attoseconds) = (now - last).components
        let microseconds = max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        if !text.isEmpty { append(", ") }
        append(name)
        append(";dur=")
        text.append(contentsOf: String(microseconds / 1_000).utf8)
        append(".")
        for place: Int64 in [100, 10, 1] { text.append(UInt8(ascii: "0") + UInt8(microseconds / place % 10)) }
        last = now
    }

    private mutating func append(_ name: StaticString) { name.withUTF8Buffer { unsafe text.append(contentsOf: $0) } }

    var value: String { String(decoding: text, as: UTF8.self) }
}
