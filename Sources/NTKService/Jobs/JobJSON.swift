internal import FoundationEssentials
internal import Jobs
internal import TensorFormats

/// The wording of jobs.
enum JobJSON {
    static func object(_ job: JobView, problem: [UInt8]? = nil) -> [UInt8] {
        let state = job.state
        var json = JSONWriter()
        json.beginObject()
        json.member("id", job.id.description)
        json.key("operation")
        if job.manifest.target.isEmpty { json.null() } else { json.value("POST \(job.manifest.target)") }
        json.member("status", state.status.rawValue)
        json.number("progress", state.progress)
        json.number("eta_seconds", state.etaSeconds)
        json.member("attempts", state.attempt)
        json.key("created_at")
        time(job.manifest.createdAt > 0 ? job.manifest.createdAt : nil, &json)
        json.key("started_at")
        time(state.startedAt, &json)
        json.key("finished_at")
        time(state.finishedAt, &json)
        json.key("result")
        if state.status == .succeeded { json.value("/v1/jobs/\(job.id)/result") } else { json.null() }
        if let damage = job.damage { json.member("unreadable", damage) }
        json.endObject()
        return json.bytes
    }

    private static func time(_ milliseconds: Int?, _ json: inout JSONWriter) {
        guard let milliseconds else { return json.null() }
        json.value(Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
