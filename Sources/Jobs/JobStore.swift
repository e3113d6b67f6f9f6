package import ArtifactStore
internal import TensorFormats

/// The directory of jobs, which several servers may share: a directory a job, which is there whole or not at all.
///
/// - `job.json`, `request`: what is asked;
/// - `lock`: locked by the server that works on the job, for as long as it lives;
/// - `state.json`: how far it has come, as far as it was told;
/// - `blocks`, `0.npy`, …: the arrays of the result, and which of their blocks are finished;
/// - `work-….npy`, `work-….blocks`: the same of what is computed on the way to the result;
/// - `cancelled`: somebody does not want it any more;
/// - `outcome.json`: it has ended, and how: from then on nothing changes.
package struct JobStore: Sendable {
    private let entries: ArtifactDirectory
    package var directory: String { entries.path }

    package init(directory: String) throws(ArtifactStoreError) { entries = try ArtifactDirectory(path: directory) }

    func path(_ id: JobID, _ file: String = "") -> String { "\(directory)/\(id)" + (file.isEmpty ? "" : "/" + file) }

    /// - Returns: false if there is a job of this name.
    func create(_ id: JobID, _ manifest: JobManifest, request: [UInt8]) throws -> Bool {
        try entries.create(id.description) { place in
            try FileWriter.write(to: place + "/job.json") { try $0.write(manifest.json) }
            try FileWriter.write(to: place + "/request") { try $0.write(request) }
            try FileWriter.write(to: place + "/lock") { _ in }
        }
    }

    /// All jobs, in no order.
    func ids() throws(ArtifactStoreError) -> [JobID] { try Files.names(in: directory).compactMap { JobID($0) } }

    func manifest(_ id: JobID) throws(ArtifactStoreError) -> JobManifest? {
        try Files.read(path(id, "job.json")).flatMap { JobManifest(json: $0) }
    }

    func request(_ id: JobID) throws(ArtifactStoreError) -> [UInt8]? { try Files.read(path(id, "request"), padding: JSONValue.padding) }

    func requestBytes(_ id: JobID) -> Int { Files.count(path(id, "request")) ?? 0 }

    func state(_ id: JobID) throws(ArtifactStoreError) -> JobState {
        if let outcome = try outcome(id) { return outcome.state }
        var state = try Files.read(path(id, "state.json")).flatMap { JobState(json: $0) } ?? JobState()
        if isCancelled(id) { state.status = .cancelled }
        return state
    }

    /// Tells those who share the directory; lost in a power failure, it is told again.
    func write(_ state: JobState, of id: JobID) throws { try replace("state.json", of: id, with: state.json, isDurable: false) }

    func outcome(_ id: JobID) throws(ArtifactStoreError) -> JobOutcome? {
        try Files.read(path(id, "outcome.json")).flatMap { JobOutcome(file: $0) }
    }

    /// Ends a job.
    func write(_ outcome: JobOutcome, of id: JobID) throws {
        try replace("outcome.json", of: id, with: outcome.file, isDurable: true)
        removeWork(id)
    }

    /// Removes what only a running job needs.
    func removeWork(_ id: JobID) {
        guard let files = try? Files.names(in: path(id)) else { return }
        for file in files where ["request", "blocks", "state.json"].contains(file) || Self.isWork(file) { try? Files.remove(path(id, file)) }
    }

    /// The beginning of the path of a matrix on the way to the result.
    func work(_ id: JobID, _ name: String) -> String { path(id, "work-" + name) }

    private static func isWork(_ file: String) -> Bool { file.hasPrefix("work-") }

    /// Bytes on the disk of what is on the way to the result.
    func workBytes(_ id: JobID) throws(ArtifactStoreError) -> Int {
        try Files.names(in: path(id)).filter(Self.isWork).reduce(0) { $0 + (Files.size(path(id, $1)) ?? 0) }
    }

    func isCancelled(_ id: JobID) -> Bool { Files.exists(path(id, "cancelled")) }

    func markCancelled(_ id: JobID) throws {
        // Another may have done so.
        guard !isCancelled(id) else { return }
        try replace("cancelled", of: id, with: [], isDurable: true)
    }

    private func replace(_ file: String, of id: JobID, with bytes: [UInt8], isDurable: Bool) throws {
        let temporary = path(id, ".\(file)-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
        try FileWriter.write(to: temporary, isDurable: isDurable) { try $0.write(bytes) }
        guard try Files.rename(temporary, to: path(id, file)) else { return }
        if isDurable { try Files.synchronize(path(id)) }
    }

    /// Nil while another holds it, or the job is not there.
    func lock(_ id: JobID) -> JobLock? { JobLock(path(id, "lock")) }

    /// Removes a job: at once for all.
    /// - Returns: false if it was not there.
    func delete(_ id: JobID) throws(ArtifactStoreError) -> Bool { try entries.delete(id.description) }

    /// Bytes of a job on the disk.
    func bytes(_ id: JobID) throws(ArtifactStoreError) -> Int {
        guard Files.exists(path(id)) else { return 0 }
        return try Files.names(in: path(id)).reduce(0) { $0 + (Files.size(path(id, $1)) ?? 0) }
    }
}
