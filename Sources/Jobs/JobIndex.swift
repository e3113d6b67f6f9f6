internal import ArtifactStore

/// What is known of the jobs of a directory, so that neither a new one nor a list reads the files of all.
///
/// The names are read again when the directory's time has changed; of a job that is new, whether it has ended; the rest of it when it is asked for.
struct JobIndex {
    struct Entry {
        /// Nil until it is read, and where it is damaged.
        var manifest: JobManifest?
        /// The final state; nil until it is read.
        var ended: JobState?
        var hasEnded = false
        /// Bytes on the disk; nil until they are counted.
        var bytes: Int?
        /// What of it cannot be read.
        var damage: String?

        /// Whether all is known that a list shows of one that has ended.
        var isRead: Bool { damage != nil || (manifest != nil && ended != nil) }
    }

    private(set) var entries: [JobID: Entry] = [:]
    /// Those that have not ended, and are not damaged.
    private(set) var open: Set<JobID> = []
    /// The directory's when its names were read; nil if they may have changed without changing it.
    var stamp: FileStamp?

    subscript(_ id: JobID) -> Entry? {
        get { entries[id] }
        set {
            entries[id] = newValue
            if let newValue, !newValue.hasEnded, newValue.damage == nil { open.insert(id) } else { open.remove(id) }
        }
    }

    /// Bytes of those that have not ended, as far as they were counted.
    var openBytes: Int { open.reduce(0) { $0 + (entries[$1]?.bytes ?? 0) } }

    mutating func forget(_ id: JobID) { self[id] = nil }
}
