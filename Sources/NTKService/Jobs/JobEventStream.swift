internal import ComputeExecutor
internal import HTTPTypes
internal import Jobs

/// The states of a job as server-sent events, until it has ended: each as it comes, and a comment where none comes for long, so that whatever
/// stands between keeps the connection.
actor JobEventStream {
    static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .via
    static let buffering = HTTPField.Name("X-Accel-Buffering") ?? .via

    private static let pause = Duration.milliseconds(100)
    /// Between two looks at the files of a job that this process works on: others may cancel it.
    private static let look = Duration.seconds(1)
    private static let silence = Duration.seconds(15)
    /// Milliseconds after which a client that lost the connection comes again.
    private static let retry = "retry: 2000\n\n"

    private let jobs: JobBoard
    private let id: JobID
    /// Files are read there.
    private let executor: ComputeExecutor
    private var manifest: JobManifest?
    private var nextLook = ContinuousClock.now
    private var last: JobEventID?
    private var isFirst = true
    private var hasEnded = false

    /// - Parameter last: the event that the client has seen last.
    init(_ jobs: JobBoard, _ id: JobID, after last: JobEventID?, on executor: ComputeExecutor) {
        self.jobs = jobs
        self.executor = executor
        self.id = id
        self.last = last
    }

    func next() async throws -> [UInt8]? {
        guard !hasEnded else { return nil }
        var text: [UInt8] = isFirst ? Array(Self.retry.utf8) : []
        isFirst = false
        let deadline = ContinuousClock.now + Self.silence
        while true {
            // It may be deleted while it is followed; and a server that stops lets its clients go to another.
            guard !jobs.isStopping, let (manifest, states) = try await changes() else {
                hasEnded = true
                return text
            }
            for state in states {
                text += event(JobView(id: id, manifest: manifest, state: state))
                last = state.eventID
                hasEnded = state.status.isFinal
            }
            if !text.isEmpty { return text }
            if ContinuousClock.now >= deadline { return Array(": nothing new\n\n".utf8) }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// What is new, from this process if it works on the job, else from its files; nil if there is no such job.
    private func changes() async throws -> (JobManifest, [JobState])? {
        if let manifest, let states = jobs.statesHere(of: id, after: last), !states.isEmpty || ContinuousClock.now < nextLook {
            return (manifest, states)
        }
        let (jobs, id, last) = (jobs, id, last)
        let found = try await executor.run { _ -> (JobManifest, [JobState])? in
            guard let view = try jobs.view(id) else { return nil }
            return (view.manifest, try jobs.states(of: id, after: last))
        }
        nextLook = .now + Self.look
        manifest = found?.0
        return found
    }

    private func event(_ job: JobView) -> [UInt8] {
        Array("id: \(job.state.eventID)\nevent: \(job.state.status.rawValue)\ndata: ".utf8) + JobJSON.object(job) + Array("\n\n".utf8)
    }
}
