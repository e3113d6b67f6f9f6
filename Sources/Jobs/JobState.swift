internal import TensorFormats

package enum JobStatus: String, CaseIterable, Sendable {
    case queued, running, succeeded, failed, cancelled
    /// What is stored of it cannot be read.
    case damaged

    /// Whether it can change no more.
    package var isFinal: Bool { self != .queued && self != .running }
}

/// How far a job has come. States of one job are in order: a later one has a larger `step`, or belongs to a later attempt.
package struct JobState: Sendable, Equatable {
    /// How often a server has begun it; 0 while none has.
    package var attempt = 0
    /// How many attempts in a row ended with the death of their server, before anything of the result was kept.
    package var losses = 0
    /// Counts the states of an attempt.
    package var step = 0
    package var status = JobStatus.queued
    /// From 0 to 1.
    package var progress = 0.0
    /// The progress at which something was kept last: where the next attempt begins.
    package var kept = 0.0
    /// Seconds that are left, as far as one can tell.
    package var etaSeconds: Double?
    /// Milliseconds since 1970.
    package var startedAt: Int?
    package var finishedAt: Int?

    package init() {}

    /// The name of the state among those of its job.
    package var eventID: JobEventID { JobEventID(attempt: attempt, step: step) }

    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("attempt", attempt)
        json.member("losses", losses)
        json.member("step", step)
        json.member("status", status.rawValue)
        // What is not finite is left out.
        try? json.member("progress", progress)
        try? json.member("kept", kept)
        if let etaSeconds, etaSeconds.isFinite { try? json.member("eta_seconds", etaSeconds) }
        if let startedAt { json.member("started_at", startedAt) }
        if let finishedAt { json.member("finished_at", finishedAt) }
        json.endObject()
        return json.bytes
    }

    /// Counters beyond these are none of ours; with them, one more is a number.
    private static let counts = 0...(1 << 40)
    /// Longer estimates mean nothing.
    private static let longest = 1e10

    /// Nil for what says nothing. Of what is absurd nothing is believed.
    init?(json: [UInt8]) {
        guard let record = JobRecord(json), let attempt = record.integer("attempt"), Self.counts.contains(attempt),
            let step = record.integer("step"), Self.counts.contains(step), let status = record.text("status").flatMap(JobStatus.init),
            status != .damaged, let progress = record.number("progress"), (0...1).contains(progress)
        else { return nil }
        func time(_ name: String) -> Int? { record.integer(name).flatMap { (0...JobManifest.latest).contains($0) ? $0 : nil } }
        self.attempt = attempt
        self.step = step
        losses = record.integer("losses").flatMap { Self.counts.contains($0) ? $0 : nil } ?? 0
        self.status = status
        self.progress = progress
        kept = record.number("kept").flatMap { (0...1).contains($0) ? $0 : nil } ?? 0
        etaSeconds = record.number("eta_seconds").flatMap { (0...Self.longest).contains($0) ? $0 : nil }
        startedAt = time("started_at")
        finishedAt = time("finished_at")
    }
}

/// Where a state stands in the order of those of its job: `attempt-step`.
package struct JobEventID: Sendable, Comparable, CustomStringConvertible {
    package var attempt: Int
    package var step: Int

    package init(attempt: Int, step: Int) {
        self.attempt = attempt
        self.step = step
    }

    /// Nil if `text` is no such name.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let attempt = Self.number(parts[0]), let step = Self.number(parts[1]) else { return nil }
        self.init(attempt: attempt, step: step)
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
    }

    package var description: String { "\(attempt)-\(step)" }

    package static func < (left: JobEventID, right: JobEventID) -> Bool { (left.attempt, left.step) < (right.attempt, right.step) }
}
