package import ArtifactStore
internal import Glibc
internal import TensorFormats

/// The directory of jobs, which several servers may share: a directory a job, which is there whole or not at all.
///
/// - `job.json`, `request`: what is asked;
/// - `checksums`: of what is asked;
/// - `lock`: locked by the server that works on the job, for as long as it lives; its time says when that was seen last;
/// - `state.json`: how far it has come, as far as it was told;
/// - `blocks`, `0.npy`, …: the arrays of the result, and which of their blocks are finished; `0.npy.sums`: the checksums of a finished one;
/// - `work-….npy`, `work-….blocks`: the same of what is computed on the way to the result;
/// - `attempt-…`: the same files, and a `lock`, of an attempt that took the job from a server that hung;
/// - `cancelled`: a client has cancelled it;
/// - `outcome.json`: it has ended, and how: from then on nothing changes.
package struct JobStore: Sendable {
    private let entries: ArtifactDirectory
    package var directory: String { entries.path }

    /// Longer ones are none of ours.
    private static let (longestManifest, longestState) = (1 << 20, 1 << 16)

    package init(directory: String) throws(ArtifactStoreError) { entries = try ArtifactDirectory(path: directory) }

    func path(_ id: JobID, _ file: String = "") -> String { "\(directory)/\(id)" + (file.isEmpty ? "" : "/" + file) }

    /// - Returns: false if there is a job of this name.
    func create(_ id: JobID, _ manifest: JobManifest, request: [UInt8]) throws -> Bool {
        try entries.create(
            id.description,
            [
                ArtifactFile("job.json") { try $0.write(manifest.json) }, ArtifactFile("request") { try $0.write(request) },
                ArtifactFile("lock") { _ in },
            ])
    }

    /// Makes the directory anew if it has vanished, before something is written.
    func prepare() throws(ArtifactStoreError) { try entries.prepare() }

    /// All jobs, in no order.
    func ids() throws(ArtifactStoreError) -> [JobID] { try Files.names(in: directory).compactMap { JobID($0) } }

    /// - Throws: where the directory itself has gone.
    func contains(_ id: JobID) throws(ArtifactStoreError) -> Bool { try entries.contains(id.description) }

    /// Nil if there is no such job.
    /// - Throws: `damaged`.
    func manifest(_ id: JobID) throws(ArtifactStoreError) -> JobManifest? {
        let file = path(id, "job.json")
        guard let json = try Files.read(file, most: Self.longestManifest) else {
            guard try contains(id) else { return nil }
            throw .damaged(path: file)
        }
        guard let manifest = JobManifest(json: json) else { throw .damaged(path: file) }
        return manifest
    }

    /// Nil if it is not there, as when the job has ended.
    /// - Throws: `damaged`.
    func request(_ id: JobID) throws(ArtifactStoreError) -> [UInt8]? {
        guard let file = try entries.reader(id.description, "request") else { return nil }
        return try file.read(0..<file.count, padding: JSONValue.padding)
    }

    func requestBytes(_ id: JobID) -> Int { Files.count(path(id, "request")) ?? 0 }

    /// How far a job has come. A report that makes no sense says nothing.
    func state(_ id: JobID) throws(ArtifactStoreError) -> JobState {
        if let outcome = try outcome(id) { return outcome.state }
        var state = JobState()
        do throws(ArtifactStoreError) {
            state = try Files.read(path(id, "state.json"), most: Self.longestState).flatMap { JobState(json: $0) } ?? state
        } catch .damaged {}
        if isCancelled(id) { state.status = .cancelled }
        return state
    }

    /// Tells the other servers on the directory; if it is lost in a power failure, it is told again.
    func write(_ state: JobState, of id: JobID) throws { try replace("state.json", of: id, with: state.json, isDurable: false) }

    func hasEnded(_ id: JobID) -> Bool { Files.exists(path(id, "outcome.json")) }

    /// Nil if it has not ended.
    /// - Throws: `damaged`.
    func outcome(_ id: JobID) throws(ArtifactStoreError) -> JobOutcome? { try JobOutcome.read(path(id, "outcome.json")) }

    /// Ends a job, unless it has ended.
    /// - Returns: whether it ended so.
    func write(_ outcome: JobOutcome, of id: JobID) throws -> Bool {
        let temporary = temporary("outcome.json", of: id)
        let bytes = outcome.file
        defer { try? Files.remove(temporary) }
        try FileWriter.write(to: temporary) { try $0.write(bytes) }
        guard try publish(temporary, as: path(id, "outcome.json")) else { return false }
        try Files.synchronize(path(id))
        removeWork(id, of: outcome, isDurable: true)
        return true
    }

    /// Gives a file its name, unless there is one of that name: the first is the only one.
    private func publish(_ temporary: String, as file: String) throws(ArtifactStoreError) -> Bool {
        do throws(ArtifactStoreError) {
            return try Files.link(temporary, to: file)
        } catch .system(_, _, let code) where code == EPERM || code == EOPNOTSUPP || code == ENOSYS {
            // A file system without second names.
            return try Files.exists(file) ? false : Files.rename(temporary, to: file)
        }
    }

    /// Removes what only a running job needs, once the disk has its outcome.
    /// - Parameter isDurable: whether that is known.
    func removeWork(_ id: JobID, of outcome: JobOutcome, isDurable: Bool) {
        guard let files = try? Files.names(in: path(id)) else { return }
        if !isDurable {
            guard files.contains(where: { $0 == "request" || Self.isWork($0) }), (try? Files.synchronize(path(id))) != nil else { return }
        }
        let isElsewhere = !outcome.place.isEmpty
        for file in files {
            if ["request", "blocks", "state.json"].contains(file) || Self.isWork(file) || isElsewhere && Self.isArray(file) {
                try? Files.remove(path(id, file))
            } else if file != outcome.place, JobPlace(name: file) != nil || file.hasPrefix(Self.taking) {
                Files.removeTree(path(id, file))
            }
        }
        guard isElsewhere, let files = try? Files.names(in: path(id, outcome.place)) else { return }
        for file in files where !Self.isArray(file) { try? Files.remove(path(id, "\(outcome.place)/\(file)")) }
    }

    /// A place that is being made.
    static let taking = ".attempt-"

    static func isWork(_ file: String) -> Bool { file.hasPrefix("work-") }

    static func isArray(_ file: String) -> Bool {
        [".npy", ".npy.sums"].contains { file.hasSuffix($0) && file.dropLast($0.count).utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// Bytes on the disk of what is on the way to the result.
    func workBytes(_ id: JobID, _ place: JobPlace) throws(ArtifactStoreError) -> Int {
        let directory = path(id, place.name)
        return try Files.names(in: directory).filter(Self.isWork).reduce(0) { $0 + (Files.size("\(directory)/\($1)") ?? 0) }
    }

    func isCancelled(_ id: JobID) -> Bool { Files.exists(path(id, "cancelled")) }

    func markCancelled(_ id: JobID) throws {
        // Another may have done so.
        guard !isCancelled(id) else { return }
        try replace("cancelled", of: id, with: [], isDurable: true)
    }

    func replace(_ file: String, of id: JobID, with bytes: [UInt8], isDurable: Bool) throws {
        let temporary = temporary(file, of: id)
        do {
            try FileWriter.write(to: temporary, isDurable: isDurable) { try $0.write(bytes) }
            guard try Files.rename(temporary, to: path(id, file)) else { return }
        } catch {
            try? Files.remove(temporary)
            throw error
        }
        if isDurable { try Files.synchronize(path(id)) }
    }

    private func temporary(_ file: String, of id: JobID) -> String {
        path(id, ".\(file.replacing("/", with: "-"))-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
    }

    /// Removes a job: at once for all.
    /// - Returns: false if it was not there.
    func delete(_ id: JobID) throws(ArtifactStoreError) -> Bool { try entries.delete(id.description) }

    /// Bytes of a job on the disk.
    func bytes(_ id: JobID) -> Int {
        guard let files = try? Files.names(in: path(id)) else { return 0 }
        return files.reduce(0) { sum, file in
            let inner = JobPlace(name: file).flatMap { place in try? Files.names(in: path(id, place.name)).map { place.path($0) } } ?? [file]
            return inner.reduce(sum) { $0 + (Files.size(path(id, $1)) ?? 0) }
        }
    }
}
