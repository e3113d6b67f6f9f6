internal import ArtifactStore

/// Since when the holders of jobs have given no sign of life, by the watching server's own clock: clocks of other machines may differ.
struct HeartbeatWatch {
    private struct Silence {
        var heartbeat: Heartbeat
        var since: ContinuousClock.Instant
        var lastLook: ContinuousClock.Instant
    }

    /// A watch that has not looked for so long has stood still itself, and cannot tell.
    private static let longestGap = Duration.seconds(3)
    private var silences: [JobID: Silence] = [:]

    /// Forgets those of other jobs.
    mutating func keep(only open: Set<JobID>) { silences = silences.filter { open.contains($0.key) } }

    /// Looks at a heartbeat; nil forgets it.
    /// - Returns: for how long it has been the same, at every look.
    mutating func silence(of id: JobID, _ heartbeat: Heartbeat?, now: ContinuousClock.Instant = .now) -> Duration {
        guard let heartbeat else {
            silences[id] = nil
            return .zero
        }
        guard var silence = silences[id], silence.heartbeat == heartbeat, now - silence.lastLook <= Self.longestGap else {
            silences[id] = Silence(heartbeat: heartbeat, since: now, lastLook: now)
            return .zero
        }
        silence.lastLook = now
        silences[id] = silence
        return now - silence.since
    }
}
