internal import ArtifactStore

/// Since when the holders of jobs have given no sign of life, by the clock of who watches: the clocks of other machines tell nothing.
struct HeartbeatWatch {
    private struct Silence {
        var heartbeat: Heartbeat
        var since: ContinuousClock.Instant
        var lastLook: ContinuousClock.Instant
    }

    /// Who has not looked for so long has stood still himself.
    private static let longestGap = Duration.seconds(3)
    private var silences: [JobID: Silence] = [:]

    /// Looks at a heartbeat.
    /// - Returns: whether it has been the same for `lease`, at every look.
    mutating func isSilent(_ id: JobID, _ heartbeat: Heartbeat?, for lease: Duration, now: ContinuousClock.Instant = .now) -> Bool {
        guard let heartbeat else {
            silences[id] = nil
            return false
        }
        guard var silence = silences[id], silence.heartbeat == heartbeat, now - silence.lastLook <= Self.longestGap else {
            silences[id] = Silence(heartbeat: heartbeat, since: now, lastLook: now)
            return false
        }
        silence.lastLook = now
        silences[id] = silence
        guard now - silence.since >= lease else { return false }
        silences[id] = nil
        return true
    }
}
