import ArgumentParser

/// How long the server takes to end after a signal.
struct EndingOptions: ParsableArguments {
    private static let delaySetting = Setting(variable: "NTK_DRAIN_DELAY", standard: 0.0)
    private static let drainSetting = Setting(variable: "NTK_DRAIN_TIMEOUT", standard: Seconds(30))

    @Option(
        help: delaySetting.help(
            "Seconds after a signal in which all is served as before, while /readyz already says no: what a load balancer needs to notice."))
    var drainDelay: Double?

    @Option(help: drainSetting.help("Seconds that requests in flight get to finish after that."))
    var drainTimeout: Seconds?

    func delay() throws -> Duration {
        let seconds = try Self.delaySetting.resolve(drainDelay)
        guard seconds >= 0, seconds < 3.2e8 else { throw ValidationError("--drain-delay must not be negative, and at most ten years.") }
        return .seconds(seconds)
    }

    func timeout() throws -> Duration { try Self.drainSetting.resolve(drainTimeout).duration }
}
