internal import ArtifactStore
internal import Locks

// What is told of many jobs, or of one as it comes on.
extension JobBoard {
    /// The jobs, the newest first. Of those that have ended nothing is read that was read before, but for the arrays of the page.
    /// - Parameters:
    ///   - cursor: where the last page ended.
    ///   - status: only those that are in it.
    package func list(after cursor: JobCursor?, limit: Int, status: JobStatus? = nil) throws -> (jobs: [JobView], next: JobCursor?) {
        let isOfOpen = status == .queued || status == .running
        let entries: [JobID: JobIndex.Entry]
        if isOfOpen {
            let open = Dictionary(uniqueKeysWithValues: try unfinished().map { ($0.id, $0.manifest) })
            entries = open.mapValues { JobIndex.Entry(manifest: $0) }
        } else {
            try readEnded()
            // Those that have not ended are read, too: they stand where they were made.
            for id in state.withLock({ $0.index.open }) { _ = try? manifest(id) }
            entries = state.withLock { $0.index.entries }
        }
        let places = entries.map { JobCursor($0.key, $0.value.manifest) }.filter { place in cursor.map { $0 < place } ?? true }.sorted()
        var jobs: [JobView] = []
        for place in places {
            // What has ended stays as it is, unless it is damaged.
            if let status, let ended = entries[place.id]?.ended?.status, ended != status, status != .damaged { continue }
            // One that was deleted meanwhile is left out.
            guard let view = try entry(place.id), status.map({ $0 == view.state.status }) ?? true else { continue }
            if jobs.count == limit { return (jobs, jobs.last.map { JobCursor($0.id, $0.manifest) }) }
            jobs.append(view)
        }
        return (jobs, nil)
    }

    /// A job of a list: what the system does not let read does not keep the others from being told of.
    private func entry(_ id: JobID) throws -> JobView? {
        do {
            return try view(id)
        } catch let error as ArtifactStoreError where Files.isDirectory(store.directory) {
            return JobView(damaged: id, nil, nil, error.explanation)
        }
    }

    /// The states after one of a job that this process works on, or did so lately; nil for others. Nothing is read.
    package func statesHere(of id: JobID, after last: JobEventID?) -> [JobState]? {
        let run = state.withLock { state in state.running[id]?.run ?? state.recent.last { $0.id == id } }
        return run?.states(after: last)
    }

    /// The states after one, the latest last; none while nothing has changed, or when there is no such job.
    package func states(of id: JobID, after last: JobEventID?) throws -> [JobState] {
        let run = state.withLock { state in state.running[id]?.run ?? state.recent.last { $0.id == id } }
        if let run {
            let states = run.states(after: last)
            if !states.isEmpty || run.state.status.isFinal { return states }
        }
        guard let state = try view(id)?.state else { return [] }
        // The end comes last, whichever attempt it is of.
        if state.status.isFinal { return last == state.eventID ? [] : [state] }
        return last.map { $0 < state.eventID } ?? true ? [state] : []
    }

    /// Jobs by what has become of them, as far as that was read.
    package func counts() throws -> [JobStatus: Int] {
        try refresh()
        return state.withLock { state in
            var counts: [JobStatus: Int] = [:]
            for entry in state.index.entries.values {
                if entry.damage != nil { counts[.damaged, default: 0] += 1 } else if let ended = entry.ended { counts[ended.status, default: 0] += 1 }
            }
            counts[.running] = state.running.count
            counts[.queued] = max(0, state.index.open.count - state.running.count)
            return counts
        }
    }

    func state(of id: JobID) throws -> JobState {
        if let run = state.withLock({ $0.running[id]?.run }), !store.isCancelled(id) { return run.state }
        if let ended = state.withLock({ $0.index[id]?.ended }) { return ended }
        return try store.state(id)
    }
}
