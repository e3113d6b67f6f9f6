internal import ArtifactStore
internal import Glibc
internal import Locks

// What the directory holds, with a memory of what cannot change.
extension JobBoard {
    /// Seconds after a change in which another one may leave the directory's time as it is.
    private static let settling = 2

    /// Finds out which jobs have come and gone.
    /// - Parameter lookingForEnds: and which of the others have ended, by a look at each.
    func refresh(lookingForEnds: Bool = true) throws {
        guard let stamp = Files.stamp(store.directory) else { throw Files.failure("stat", store.directory) }
        if state.withLock({ $0.index.stamp != stamp }) {
            let isSettled = (Files.age(store.directory) ?? 0) >= Self.settling
            let ids = try store.ids()
            let present = Set(ids)
            let (new, gone) = state.withLock { state in
                (ids.filter { state.index[$0] == nil }, state.index.entries.keys.filter { !present.contains($0) })
            }
            // One that was added since the names were read is there.
            for id in gone where !Files.exists(store.path(id)) { forget(id) }
            for id in new {
                let entry = JobIndex.Entry(hasEnded: store.hasEnded(id))
                state.withLock { if $0.index[id] == nil { $0.index[id] = entry } }
            }
            state.withLock { $0.index.stamp = isSettled ? stamp : nil }
        }
        guard lookingForEnds else { return }
        for id in state.withLock({ $0.index.open }) where store.hasEnded(id) { state.withLock { $0.index[id]?.hasEnded = true } }
    }

    /// The manifest of a job; nil if there is none.
    /// - Throws: `damaged`.
    func manifest(_ id: JobID) throws -> JobManifest? {
        guard try store.contains(id) else {
            forget(id)
            return nil
        }
        if let known = state.withLock({ $0.index[id]?.manifest }) { return known }
        do throws(ArtifactStoreError) {
            guard let manifest = try store.manifest(id) else { return nil }
            let hasEnded = store.hasEnded(id)
            state.withLock { state in
                var entry = state.index[id] ?? JobIndex.Entry(hasEnded: hasEnded)
                entry.damage = nil
                entry.manifest = manifest
                state.index[id] = entry
            }
            return manifest
        } catch {
            noteDamage(error, of: id)
            throw error
        }
    }

    /// Enters that a job is damaged; what the system would not do says nothing of it.
    func noteDamage(_ error: ArtifactStoreError, of id: JobID) {
        guard case .damaged = error else { return }
        damage.report(id.description, error.explanation)
        let hasEnded = store.hasEnded(id)
        state.withLock { state in
            var entry = state.index[id] ?? JobIndex.Entry(hasEnded: hasEnded)
            entry.damage = error.explanation
            state.index[id] = entry
        }
    }

    /// The jobs that have not ended, as far as they were looked at, the oldest first.
    func unfinished(lookingForEnds: Bool = true) throws -> [(id: JobID, manifest: JobManifest)] {
        try refresh(lookingForEnds: lookingForEnds)
        let known = state.withLock { state in state.index.open.map { ($0, state.index[$0]?.manifest) } }
        // One that cannot be read does not keep the others from being.
        return known.compactMap { id, known in (try? known ?? manifest(id)).map { (id, $0) } }
            .sorted { ($0.manifest.createdAt, $0.id.description) < ($1.manifest.createdAt, $1.id.description) }
    }

    /// Reads what a list shows of jobs that have ended, once for each: requests that come meanwhile wait, and find it read.
    func readEnded() throws {
        try refresh()
        reading.withLock { _ in
            for (id, entry) in state.withLock({ $0.index.entries }) where entry.hasEnded && !entry.isRead { readEnded(id) }
        }
    }

    private func readEnded(_ id: JobID) {
        guard (try? manifest(id)) != nil else { return }
        do throws(ArtifactStoreError) {
            guard let outcome = try store.outcome(id) else { return }
            // The server that ended it may have died before this.
            store.removeWork(id, of: outcome, isDurable: false)
            state.withLock { $0.index[id]?.ended = outcome.state }
        } catch {
            noteDamage(error, of: id)
        }
    }

    /// Enters how a job has ended.
    func noteEnd(_ final: JobState, of id: JobID) {
        state.withLock { state in
            state.index[id]?.hasEnded = true
            state.index[id]?.ended = final
            state.index[id]?.bytes = nil
        }
    }

    func forget(_ id: JobID) {
        damage.clear(id.description)
        state.withLock { state in
            state.index.forget(id)
            state.recent.removeAll { $0.id == id }
        }
    }

    /// Removes jobs that ended long ago, and the oldest of those that together take too much room, but not the latest.
    package func removeOld() throws {
        try readEnded()
        var bytes = 0
        var ended: [(id: JobID, finishedAt: Int, bytes: Int)] = []
        for (id, entry) in state.withLock({ $0.index.entries }) {
            // What has not ended grows.
            let size = entry.hasEnded ? entry.bytes ?? store.bytes(id) : store.bytes(id)
            bytes += size
            if entry.bytes != size { state.withLock { if $0.index[id] != nil { $0.index[id]?.bytes = size } } }
            // One that is damaged, and does not say when, is kept as long as one that has just been made.
            if entry.hasEnded || entry.damage != nil { ended.append((id, entry.ended?.finishedAt ?? entry.manifest?.createdAt ?? JobRun.now, size)) }
        }
        ended.sort { ($0.finishedAt, $0.id.description) < ($1.finishedAt, $1.id.description) }
        let oldest = JobRun.now - limits.retentionSeconds * 1000
        for (index, job) in ended.enumerated() {
            let isOver = bytes > limits.bytes && index < ended.count - 1
            guard job.finishedAt < oldest || isOver else { continue }
            _ = try store.delete(job.id)
            forget(job.id)
            bytes -= job.bytes
        }
    }
}
