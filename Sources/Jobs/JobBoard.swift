package import ArtifactStore
internal import FoundationEssentials
internal import Locks

/// The jobs of a data directory, and those of them that this process works on. The directory is the queue: whichever server has a worker free
/// takes the oldest job that no server works on, also one whose server has died.
package final class JobBoard: Sendable {
    package struct Limits: Sendable {
        /// Jobs that have not ended; more are refused.
        package var unfinished = 100
        /// Jobs that this process works on at the same time.
        package var workers = 1
        /// Servers that may die while they work on a job, one after another, before it counts as their killer.
        package var losses = 2
        /// Seconds without a sign of life after which the server that works on a job is taken for dead.
        package var leaseSeconds = 10.0
        /// Seconds for which a job that has ended is kept.
        package var retentionSeconds = 7 * 86_400
        /// Bytes of all jobs on the disk; beyond them those that ended first go.
        package var bytes = 16 << 30

        package init() {}
    }

    /// Hears of every state that a job comes into here: that it runs, and how it ended.
    package typealias Observer = @Sendable (JobState) -> Void

    /// Does a job; gives what tells how to read the result.
    package typealias Worker = @Sendable (JobRun) async throws -> [UInt8]

    let store: JobStore
    package let limits: Limits
    let state = Lock(State())
    /// Of the jobs that have ended.
    let reading = Lock(())
    let damage = DamageRegister()
    /// Files of results that were read whole.
    let checked = CheckedFiles()
    private let wakes: AsyncStream<Void>
    let waker: AsyncStream<Void>.Continuation

    struct State {
        var running: [JobID: (run: JobRun, claim: JobClaim, task: Task<Void, Never>?)] = [:]
        /// Runs that have ended, the latest last: for streams of their events.
        var recent: [JobRun] = []
        var index = JobIndex()
        /// Jobs that failed for a reason of ours, and are tried again later.
        var postponed: [JobID: (until: ContinuousClock.Instant, pause: Duration)] = [:]
        /// The signs of life of other servers.
        var heartbeats = HeartbeatWatch()
        var loop: [Task<Void, Never>] = []
        var isStopping = false
    }

    /// Between two looks at what others have left in the directory.
    private static let pause = Duration.seconds(1)
    private static let recentRuns = 64
    /// Jobs whose workers are looked after.
    private static let watched = 256
    private static let (shortestPostponement, longestPostponement) = (Duration.milliseconds(100), Duration.seconds(10))

    package init(directory: String, limits: Limits = Limits()) throws(ArtifactStoreError) {
        store = try JobStore(directory: directory)
        self.limits = limits
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Working

    /// Begins to work on what is there and what will come.
    package func start(observer: @escaping Observer = { _ in }, _ worker: @escaping Worker) {
        let loop = Task { [wakes] in
            var looks = 0
            for await _ in wakes {
                startWhatCanBe(observer, worker)
                // The disk is looked over now and then only.
                if looks % 60 == 0 { try? removeOld() }
                looks += 1
            }
        }
        let clock = Task { [waker] in
            while !Task.isCancelled {
                waker.yield()
                lookAfterRuns()
                if limits.workers > 0 { watchOthers() }
                try? await Task.sleep(for: Self.pause)
            }
        }
        state.withLock { $0.loop = [loop, clock] }
    }

    /// Stops to work: running jobs end before their next tile, and go on from what they have finished wherever the directory is next served.
    package func checkpoint() async {
        let (tasks, loop) = state.withLock { state in
            state.isStopping = true
            return (state.running.values.compactMap(\.task), state.loop)
        }
        waker.finish()
        // Also where the process ends before they do.
        for run in state.withLock({ $0.running.values.map(\.run) }) { run.announceEnd() }
        for task in loop + tasks { task.cancel() }
        for task in loop + tasks { await task.value }
    }

    package var isStopping: Bool { state.withLock { $0.isStopping } }

    private func startWhatCanBe(_ observer: @escaping Observer, _ worker: @escaping Worker) {
        while state.withLock({ !$0.isStopping && $0.running.count < limits.workers }) {
            guard let (run, claim) = try? next() else { return }
            // Entered before it begins, so that its end finds it.
            state.withLock { $0.running[run.id] = (run, claim, nil) }
            observer(run.state)
            let task = Task { await work(run, claim, worker, observer) }
            let isStopping = state.withLock { state in
                state.running[run.id]?.task = task
                return state.isStopping
            }
            if isStopping { task.cancel() }
        }
    }

    /// The oldest job that no server works on, locked.
    private func next() throws -> (JobRun, JobClaim)? {
        let now = ContinuousClock.now
        let postponed = state.withLock { $0.postponed }
        for (id, manifest) in try unfinished(lookingForEnds: false) where postponed[id].map({ $0.until <= now }) ?? true {
            do {
                guard let claim = try claim(id) else { continue }
                if let run = try begin(id, manifest, claim) { return (run, claim) }
            } catch {
                // Its files cannot be read or written: the others go on.
                postpone(id)
            }
        }
        return nil
    }

    /// The right to work on a job: if no server holds it, or the holder has given no sign of life for long.
    private func claim(_ id: JobID) throws -> JobClaim? {
        guard state.withLock({ $0.running[id] == nil }) else { return nil }
        if let claim = try store.claim(id) { return claim }
        let (heartbeat, lease) = (store.heartbeat(id), Duration.seconds(limits.leaseSeconds))
        guard let heartbeat, state.withLock({ $0.heartbeats.silence(of: id, heartbeat) }) >= lease else { return nil }
        return try store.take(id, from: heartbeat.place)
    }

    /// Looks for signs of life of the servers that work on the oldest jobs, also while there is no worker free to go on with them.
    private func watchOthers() {
        let (entries, running) = state.withLock { state in
            state.heartbeats.keep(only: state.index.open)
            return (state.index.open.compactMap { id in state.index[id]?.manifest.map { JobCursor(id, $0) } }, Set(state.running.keys))
        }
        // The cursor goes from new to old.
        for place in entries.sorted().suffix(Self.watched) where !running.contains(place.id) {
            let heartbeat = store.heartbeat(place.id)
            state.withLock { _ = $0.heartbeats.silence(of: place.id, heartbeat) }
        }
    }

    private func begin(_ id: JobID, _ manifest: JobManifest, _ claim: JobClaim) throws -> JobRun? {
        // Its last owner may have ended it meanwhile, or it was cancelled.
        if store.hasEnded(id) {
            state.withLock { $0.index[id]?.hasEnded = true }
            return nil
        }
        let last = try store.state(id)
        if store.isCancelled(id) {
            try endCancelled(id, last)
            return nil
        }
        return try JobRun(id, manifest, store, after: last, workBytes: limits.bytes / 2, claim: claim)
    }

    private func work(_ run: JobRun, _ claim: JobClaim, _ worker: Worker, _ observer: Observer) async {
        do {
            let content = try await worker(run)
            try end(run, .succeeded, content)
        } catch let failure as JobFailure {
            do { try end(run, .failed, failure.content) } catch { postpone(run) }
        } catch is CancellationError where store.isCancelled(run.id) {
            do { try end(run, .cancelled, Array("null".utf8)) } catch { postpone(run) }
        } catch {
            // The server stops, or the disk is full: another attempt will do it.
            postpone(run)
        }
        withExtendedLifetime(claim) {}
        let (last, isOvertaken) = (run.state, !run.state.status.isFinal && run.isOvertaken)
        if last.status.isFinal {
            noteEnd(last, of: run.id)
            observer(last)
        }
        state.withLock { state in
            state.running[run.id] = nil
            if last.status.isFinal { state.postponed[run.id] = nil }
            // What was overtaken goes on elsewhere, and is told of from there.
            guard !isOvertaken else { return }
            state.recent.append(run)
            if state.recent.count > Self.recentRuns { state.recent.removeFirst() }
        }
        try? removeOld()
        waker.yield()
    }

    private func end(_ run: JobRun, _ status: JobStatus, _ content: [UInt8]) throws {
        let state = run.end(status)
        var outcome = JobOutcome(state: state, content: content)
        outcome.place = run.place.name
        // One that was deleted has no place for an outcome, and one that another attempt has, or has ended, gets it there.
        if try store.contains(run.id) {
            guard !run.isOvertaken, try store.write(outcome, of: run.id) else { throw Overtaken() }
        }
        run.ended(state)
    }

    /// Another attempt goes on with the job, or has ended it.
    private struct Overtaken: Error {}

    private func postpone(_ run: JobRun) {
        guard !run.isOvertaken else { return }
        run.release()
        postpone(run.id)
    }

    /// For longer each time.
    private func postpone(_ id: JobID) {
        let pause = state.withLock { state in
            let pause = state.postponed[id].map { min($0.pause * 2, Self.longestPostponement) } ?? Self.shortestPostponement
            state.postponed[id] = (.now + pause, pause)
            return pause
        }
        Task { [waker] in
            try? await Task.sleep(for: pause)
            waker.yield()
        }
    }

    func endCancelled(_ id: JobID, _ last: JobState) throws {
        var state = last
        state.step += 1
        state.status = .cancelled
        state.etaSeconds = nil
        state.finishedAt = JobRun.now
        if try store.write(JobOutcome(state: state, content: Array("null".utf8)), of: id) { noteEnd(state, of: id) }
    }

    /// Shows that they live, and ends the work on jobs that were cancelled through another server, or went over to one.
    private func lookAfterRuns() {
        for (run, claim, task) in state.withLock({ Array($0.running.values) }) {
            claim.lock.beat()
            if store.isCancelled(run.id) || run.isOvertaken { task?.cancel() }
        }
    }
}
