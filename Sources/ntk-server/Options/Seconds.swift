import ArgumentParser

/// A length of time on the command line, in seconds: a decimal number above zero, and at most ten years.
struct Seconds: ExpressibleByArgument, Sendable, CustomStringConvertible {
    private let seconds: Double

    init(_ seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        guard let seconds = Double(argument), seconds > 0, seconds < 3.2e8 else { return nil }
        self.seconds = seconds
    }

    var duration: Duration { .seconds(seconds) }
    var description: String { seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)" }
}
