internal import ArtifactStore
internal import Locks

/// A job as it is shown.
package struct JobView: Sendable {
    package var id: JobID
    package var manifest: JobManifest
    package var state: JobState

    package init(id: JobID, manifest: JobManifest, state: JobState) {
        self.id = id
        self.manifest = manifest
        self.state = state
    }
}

extension JobBoard {
    package enum Submission: Sendable {
        case accepted(JobView)
        /// There was one of this name, and maybe of another request.
        case known(JobView)
        /// There are as many as may be.
        case full
    }

    /// Adds a job. It is on the disk when this returns.
    package func submit(_ id: JobID, target: String, contentType: String, fingerprint: String, requestID: String, request: [UInt8]) throws
        -> Submission
    {
        if let known = try view(id) { return .known(known) }
        let waiting = try unfinished()
        guard waiting.count < limits.unfinished else { return .full }
        let bytes = try waiting.reduce(request.count) { $0 + (try store.bytes($1.id)) }
        guard bytes <= limits.bytes else { return .full }
        let manifest = JobManifest(
            createdAt: JobRun.now, target: target, contentType: contentType, fingerprint: fingerprint, requestID: requestID)
        guard try store.create(id, manifest, request: request) else { return try view(id).map { .known($0) } ?? .full }
        waker.yield()
        return .accepted(JobView(id: id, manifest: manifest, state: JobState()))
    }

    /// A job as it is now; nil if there is none.
    package func view(_ id: JobID) throws -> JobView? {
        guard let manifest = try manifest(id) else { return nil }
        return JobView(id: id, manifest: manifest, state: try state(of: id))
    }

    /// How a job has ended, with its arrays' files; nil while it has not, or there is none.
    package func outcome(_ id: JobID) throws -> JobOutcome? { try store.outcome(id) }

    package func array(_ id: JobID, _ index: Int, shape: [Int], isFloat32: Bool) throws -> ArrayFile {
        try ArrayFile.read(store.path(id, "\(index).npy"), shape: shape, isFloat32: isFloat32)
    }

    /// The jobs, the newest first.
    /// - Parameters:
    ///   - cursor: where the last page ended.
    ///   - status: only those that are in it.
    package func list(after cursor: JobCursor?, limit: Int, status: JobStatus? = nil) throws -> (jobs: [JobView], next: JobCursor?) {
        var jobs: [JobView] = []
        let all = try manifests().map { (cursor: JobCursor(createdAt: $0.manifest.createdAt, id: $0.id), manifest: $0.manifest) }
        for (place, manifest) in all.sorted(by: { $0.cursor < $1.cursor }) where cursor.map({ $0 < place }) ?? true {
            // One that was deleted meanwhile is left out.
            guard Files.exists(store.path(place.id)), let state = try? state(of: place.id) else { continue }
            guard status.map({ $0 == state.status }) ?? true else { continue }
            if jobs.count == limit { return (jobs, jobs.last.map { JobCursor(createdAt: $0.manifest.createdAt, id: $0.id) }) }
            jobs.append(JobView(id: place.id, manifest: manifest, state: state))
        }
        return (jobs, nil)
    }

    /// Cancels a job that has not ended, forgets one that has.
    /// - Returns: the job that was cancelled; nil if it was forgotten.
    package func cancel(_ id: JobID) throws -> JobView? {
        guard var view = try view(id) else { return nil }
        if view.state.status.isFinal {
            _ = try store.delete(id)
            forget(id)
            return nil
        }
        try store.markCancelled(id)
        let task = state.withLock { $0.running[id]?.task }
        if let task {
            task.cancel()
        } else if let lock = store.lock(id) {
            if try store.outcome(id) == nil { try endCancelled(id, view.state) }
            withExtendedLifetime(lock) {}
        }
        view.state.status = .cancelled
        view.state.etaSeconds = nil
        return view
    }

    /// The states after one, the latest last; none while nothing has changed, or when there is no such job.
    package func states(of id: JobID, after last: JobEventID?) throws -> [JobState] {
        let run = state.withLock { state in state.running[id]?.run ?? state.recent.last { $0.id == id } }
        if let run {
            let states = run.states(after: last)
            if !states.isEmpty || run.state.status.isFinal { return states }
        }
        let state = try store.state(id)
        return last.map { $0 < state.eventID } ?? true ? [state] : []
    }

    /// Jobs by what has become of them.
    package func counts() throws -> [JobStatus: Int] {
        let unfinished = try unfinished()
        return state.withLock { state in
            var counts: [JobStatus: Int] = [:]
            for (status, _, _) in state.ended.values { counts[status, default: 0] += 1 }
            counts[.running] = state.running.count
            counts[.queued] = max(0, unfinished.count - state.running.count)
            return counts
        }
    }

    private func state(of id: JobID) throws -> JobState {
        if let run = state.withLock({ $0.running[id]?.run }), !store.isCancelled(id) { return run.state }
        return try store.state(id)
    }
}

/// A place in the list of jobs.
package struct JobCursor: Sendable, Comparable, CustomStringConvertible {
    package var createdAt: Int
    package var id: JobID

    init(createdAt: Int, id: JobID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Nil if `text` is no such place.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let createdAt = Int(parts[0]),
            let id = JobID(String(parts[1]))
        else { return nil }
        self.init(createdAt: createdAt, id: id)
    }

    package var description: String { "\(createdAt)-\(id)" }

    /// The newest first.
    package static func < (left: JobCursor, right: JobCursor) -> Bool {
        (left.createdAt, left.id.description) > (right.createdAt, right.id.description)
    }
}
