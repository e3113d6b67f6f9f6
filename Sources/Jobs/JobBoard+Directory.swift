internal import ArtifactStore
internal import Locks

// What the directory holds, with a memory of what cannot change.
extension JobBoard {
    func manifest(_ id: JobID) throws -> JobManifest? {
        if let known = state.withLock({ $0.manifests[id] }) {
            if Files.exists(store.path(id)) { return known }
            forget(id)
            return nil
        }
        guard let manifest = try store.manifest(id) else { return nil }
        state.withLock { $0.manifests[id] = manifest }
        return manifest
    }

    func manifests() throws -> [(id: JobID, manifest: JobManifest)] {
        let ids = try store.ids()
        let present = Set(ids)
        state.withLock { state in
            state.manifests = state.manifests.filter { present.contains($0.key) }
            state.ended = state.ended.filter { present.contains($0.key) }
        }
        // One that cannot be read does not keep the others from being.
        return ids.compactMap { id in (try? manifest(id)).map { (id, $0) } }
    }

    /// The jobs that have not ended, the oldest first.
    func unfinished() throws -> [(id: JobID, manifest: JobManifest)] {
        let all = try manifests()
        let ended = state.withLock { $0.ended }
        var open: [(id: JobID, manifest: JobManifest)] = []
        for (id, manifest) in all where ended[id] == nil {
            if let outcome = try? store.outcome(id) {
                // Who ended it may have died before this.
                store.removeWork(id)
                let bytes = (try? store.bytes(id)) ?? 0
                state.withLock { $0.ended[id] = (outcome.state.status, outcome.state.finishedAt ?? 0, bytes) }
            } else {
                open.append((id, manifest))
            }
        }
        return open.sorted { ($0.manifest.createdAt, $0.id.description) < ($1.manifest.createdAt, $1.id.description) }
    }

    func forget(_ id: JobID) {
        state.withLock { state in
            state.manifests[id] = nil
            state.ended[id] = nil
            state.recent.removeAll { $0.id == id }
        }
    }

    /// Removes jobs that ended long ago, and the oldest of those that together take too much room, but not the latest.
    package func removeOld() throws {
        let open = try unfinished()
        let ended = state.withLock { $0.ended }.sorted { $0.value.finishedAt < $1.value.finishedAt }
        var bytes = try ended.reduce(0) { $0 + $1.value.bytes } + open.reduce(0) { $0 + (try store.bytes($1.id)) }
        let oldest = JobRun.now - limits.retentionSeconds * 1000
        for (index, job) in ended.enumerated() {
            let isOver = bytes > limits.bytes && index < ended.count - 1
            guard job.value.finishedAt < oldest || isOver else { continue }
            _ = try store.delete(job.key)
            forget(job.key)
            bytes -= job.value.bytes
        }
    }
}
