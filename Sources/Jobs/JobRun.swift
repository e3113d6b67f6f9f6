internal import ArtifactStore
internal import FoundationEssentials
internal import Locks
package import TensorFormats

/// One attempt at a job: what its worker reads, keeps and reports.
package final class JobRun: Sendable {
    package let id: JobID
    package let manifest: JobManifest
    let store: JobStore
    /// Where it keeps its files.
    let place: JobPlace
    /// What may be kept on the way to the result.
    let workBytes: Int
    /// Matrices on the way to the result, as long as they are read.
    let mapped = Lock([Mapped]())
    /// Progress that was kept by the attempts before.
    package let before: Double
    private let log: Lock<Log>

    struct Mapped {
        weak var file: ArrayFile?
    }

    private struct Log {
        var states: [JobState]
        var written = ContinuousClock.now
        /// The server ends.
        var isEnding = false
    }

    /// The least change of progress that is a step of its own.
    private static let leastStep = 0.01
    /// Between two reports to the other servers on the directory.
    private static let pause = Duration.milliseconds(500)

    /// - Parameter last: how far the last attempt came.
    init(_ id: JobID, _ manifest: JobManifest, _ store: JobStore, after last: JobState, workBytes: Int = .max, claim: JobClaim? = nil) throws {
        place = claim?.place ?? .own
        let isTaken = claim?.isTaken ?? false
        self.id = id
        self.manifest = manifest
        self.store = store
        self.workBytes = workBytes
        var state = JobState()
        state.attempt = isTaken ? place.number : max(last.attempt, place.number) + 1
        // A server that ends in order says so; and one that hangs has not died of the job.
        state.losses = last.status == .running ? last.losses + (isTaken ? 0 : 1) : 0
        state.status = .running
        state.startedAt = last.startedAt ?? Self.now
        state.kept = min(max(last.kept, 0), 1)
        state.progress = state.kept
        before = state.kept
        log = Lock(Log(states: [state]))
        try store.write(state, of: id)
    }

    func path(_ file: String) -> String { store.path(id, place.path(file)) }

    /// Whether another attempt goes on with the job, or it has ended: this one has nothing to say any more.
    var isOvertaken: Bool { store.isOvertaken(id, place) }

    /// Tells the other servers on the directory. Only a report: where it cannot be written, the work goes on.
    private func tell(_ state: JobState) {
        guard !isOvertaken else { return }
        var state = state
        // However it ends: not with a death that the job is to be blamed for.
        if log.withLock({ $0.isEnding }) { state.status = .queued }
        try? store.write(state, of: id)
    }

    /// Tells that the server ends.
    func announceEnd() {
        let state = log.withLock { log in
            log.isEnding = true
            return log.states[log.states.count - 1]
        }
        if state.status == .running { tell(state) }
    }

    static var now: Int { Int(Date.now.timeIntervalSince1970 * 1000) }

    /// Bytes of the request.
    package func requestBytes() -> Int { store.requestBytes(id) }

    package func request() throws -> [UInt8] {
        guard let request = try store.request(id) else { throw ArtifactStoreError.damaged(path: store.path(id, "request")) }
        return request
    }

    /// An array of the result, to be written; what an earlier attempt has written is in it.
    package func array(_ index: Int, shape: [Int], isFloat32: Bool) throws -> ArrayFile {
        try ArrayFile.open(path("\(index).npy"), shape: shape, isFloat32: isFloat32)
    }

    /// Takes the checksums of an array of the result that is finished.
    package func seal(_ index: Int) throws {
        guard let file = try FileReader(path("\(index).npy")) else { throw ArtifactStoreError.damaged(path: path("\(index).npy")) }
        var sums = FileSums()
        let step = 256 * FileSums.blockBytes
        for start in stride(from: 0, to: file.count, by: step) {
            let bytes = try file.read(start..<min(start + step, file.count))
            unsafe sums.append(bytes.span.bytes)
        }
        try store.write(sums, ofArray: index, of: id, in: place)
    }

    /// Stores an array of the result that is computed as a whole.
    package func store(_ index: Int, _ array: OutputArray) throws {
        let path = path("\(index).npy")
        // What an attempt that was broken off has written.
        if Files.exists(path) { try Files.remove(path) }
        let sums = try FileWriter.write(to: path) { file in
            for piece in array.npyPieces { try file.write(piece.make()) }
        }
        try store.write(sums, ofArray: index, of: id, in: place)
    }

    /// How many attempts before this one, in a row, ended with the death of their server and left nothing.
    package var losses: Int { state.losses }

    /// Whether nothing can have been kept by another attempt.
    package var isFirstAttempt: Bool { state.attempt == 1 }

    /// What was reported so far is on the disk, so that the next attempt has less to do.
    package func keptSomething() {
        let state = log.withLock { log -> JobState? in
            let last = log.states.count - 1
            let isNews = log.states[last].losses > 0 || log.states[last].kept < log.states[last].progress
            log.states[last].losses = 0
            log.states[last].kept = log.states[last].progress
            return isNews ? log.states[last] : nil
        }
        // Else its server's next death would count, and the next attempt begin before this.
        if let state { tell(state) }
    }

    /// Leaves the job to another attempt, in order.
    func release() {
        let state = log.withLock { log in
            var state = log.states[log.states.count - 1]
            state.step += 1
            state.status = .queued
            state.etaSeconds = nil
            log.states.append(state)
            return state
        }
        tell(state)
    }

    /// Reports progress, which never goes back; less than a step more is not told.
    package func report(_ progress: Double, etaSeconds: Double?) {
        let state = log.withLock { log -> JobState? in
            guard var state = log.states.last, !state.status.isFinal, progress >= state.progress + Self.leastStep else { return nil }
            state.step += 1
            state.progress = min(progress, 1)
            state.etaSeconds = etaSeconds
            log.states.append(state)
            let now = ContinuousClock.now
            guard now - log.written >= Self.pause else { return nil }
            log.written = now
            return state
        }
        if let state { tell(state) }
    }

    /// The final state of a job that ends so.
    func end(_ status: JobStatus) -> JobState {
        log.withLock { log in
            var state = log.states[log.states.count - 1]
            state.step += 1
            state.status = status
            if status == .succeeded { state.progress = 1 }
            state.etaSeconds = status == .succeeded ? 0 : nil
            state.finishedAt = Self.now
            return state
        }
    }

    /// Adds the final state, once it is on the disk.
    func ended(_ state: JobState) { log.withLock { $0.states.append(state) } }

    /// The states after one, the latest last.
    func states(after id: JobEventID?) -> [JobState] {
        log.withLock { log in log.states.filter { state in id.map { $0 < state.eventID } ?? true } }
    }

    var state: JobState { log.withLock { $0.states[$0.states.count - 1] } }
}

/// Why a job failed, as its worker words it.
package struct JobFailure: Error, Sendable {
    package var content: [UInt8]

    package init(content: [UInt8]) { self.content = content }
}
