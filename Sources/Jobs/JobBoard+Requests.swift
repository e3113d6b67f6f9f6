internal import ArtifactStore
internal import Locks

/// A job as it is shown.
package struct JobView: Sendable {
    package var id: JobID
    package var manifest: JobManifest
    package var state: JobState
    /// What of it cannot be read, where it is `damaged`.
    package var damage: String?

    package init(id: JobID, manifest: JobManifest, state: JobState) {
        self.id = id
        self.manifest = manifest
        self.state = state
    }

    /// - Parameter manifest: nil where that cannot be read.
    init(damaged id: JobID, _ manifest: JobManifest?, _ state: JobState?, _ damage: String) {
        self.init(id: id, manifest: manifest ?? .unknown, state: state ?? JobState())
        self.state.status = .damaged
        self.damage = damage
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
        try store.prepare()
        if let known = try view(id) {
            guard try isDamaged(known) else { return .known(known) }
            // It is done again.
            _ = try store.delete(id)
            forget(id)
        }
        // What others have ended counts no more; that is looked after where it matters.
        if isFull(with: request.count) { try refresh() }
        guard !isFull(with: request.count) else { return .full }
        let manifest = JobManifest(
            createdAt: JobRun.now, target: target, contentType: contentType, fingerprint: fingerprint, requestID: requestID)
        guard try store.create(id, manifest, request: request) else { return try view(id).map { .known($0) } ?? .full }
        state.withLock { $0.index[id] = JobIndex.Entry(manifest: manifest, bytes: request.count) }
        waker.yield()
        return .accepted(JobView(id: id, manifest: manifest, state: JobState()))
    }

    private func isFull(with bytes: Int) -> Bool {
        state.withLock { $0.index.open.count >= limits.unfinished || $0.index.openBytes + bytes > limits.bytes }
    }

    /// Arrays up to this size are read to tell of a job, for whether they are damaged; what is wrong with larger ones is known once they are read.
    private static let checkedBytes = 1 << 20

    /// A job as it is now; nil if there is none.
    package func view(_ id: JobID) throws -> JobView? {
        var known: JobManifest?
        do {
            guard let manifest = try manifest(id) else { return nil }
            known = manifest
            return try view(id, manifest)
        } catch let error as ArtifactStoreError {
            guard case .damaged = error else { throw error }
            noteDamage(error, of: id)
            return JobView(damaged: id, known, nil, error.explanation)
        }
    }

    private func view(_ id: JobID, _ manifest: JobManifest) throws -> JobView {
        let state = try state(of: id)
        if state.status == .succeeded {
            if let damage = damage[id.description] { return JobView(damaged: id, manifest, state, damage) }
            if let outcome = try store.outcome(id) { try store.checkArrays(id, outcome, most: Self.checkedBytes, checked) }
        }
        return JobView(id: id, manifest: manifest, state: state)
    }

    /// The job of a request that was sent before; nil if there is none, or it has to be done again.
    package func known(_ id: JobID) throws -> JobView? {
        try store.prepare()
        guard let view = try view(id), try !isDamaged(view) else { return nil }
        return view
    }

    /// Whether a job, or its result, is damaged: all of it is read where that was not done before.
    private func isDamaged(_ view: JobView) throws -> Bool {
        switch view.state.status {
        case .damaged: return true
        case .queued, .running, .cancelled: return false
        // It failed because of what it was to read.
        case .failed: return try store.outcome(view.id).map { Self.isOfDamage($0.content) } ?? false
        case .succeeded:
            guard let outcome = try store.outcome(view.id) else { return false }
            do throws(ArtifactStoreError) {
                try store.checkArrays(view.id, outcome, most: .max, checked)
                return false
            } catch {
                guard case .damaged = error else { throw error }
                noteDamage(error, of: view.id)
                return true
            }
        }
    }

    private static func isOfDamage(_ problem: [UInt8]) -> Bool { String(decoding: problem, as: UTF8.self).contains("/problems/damaged-artifact\"") }

    /// How a job has ended, with its arrays' files; nil while it has not, or there is none.
    /// - Throws: `damaged`.
    package func outcome(_ id: JobID) throws -> JobOutcome? {
        do throws(ArtifactStoreError) {
            return try store.outcome(id)
        } catch {
            noteDamage(error, of: id)
            throw error
        }
    }

    /// An array of a result.
    /// - Throws: `damaged`, as every later reading does.
    package func array(_ id: JobID, _ outcome: JobOutcome, _ index: Int, shape: [Int], isFloat32: Bool) throws -> StoredArray {
        do throws(ArtifactStoreError) {
            let sums = outcome.isChecked ? try store.sums(ofArray: index, of: id, in: outcome.place) : nil
            let file = store.path(id, (outcome.place.isEmpty ? "" : outcome.place + "/") + "\(index).npy")
            return try StoredArray(file, shape: shape, isFloat32: isFloat32, sums: sums) { [weak self] in self?.noteDamage($0, of: id) }
        } catch {
            noteDamage(error, of: id)
            throw error
        }
    }

    /// Makes sure that an array is what was written, by a look at all of it, once for each file.
    package func check(_ array: StoredArray) throws {
        if checked.contains(array.stamp) { return }
        try array.check()
        checked.insert(array.stamp)
    }

    /// Tells that what a result says makes no sense.
    package func noteDamagedOutcome(of id: JobID) { noteDamage(.damaged(path: store.path(id, "outcome.json")), of: id) }

    /// Tells that all of a result was read, and is what was written.
    package func noteWhole(_ id: JobID) {
        guard damage[id.description] != nil else { return }
        damage.clear(id.description)
        state.withLock { $0.index[id]?.damage = nil }
    }

    /// Whether a job was found damaged, and not whole since.
    package func isKnownDamaged(_ id: JobID) -> Bool { damage[id.description] != nil }

    /// Jobs that were found damaged.
    package var damages: Int { damage.count }

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
        } else if let claim = try store.claim(id) {
            if !store.hasEnded(id) { try endCancelled(id, view.state) }
            withExtendedLifetime(claim) {}
        }
        view.state.status = .cancelled
        view.state.etaSeconds = nil
        return view
    }
}
