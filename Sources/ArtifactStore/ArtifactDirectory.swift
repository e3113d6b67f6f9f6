internal import Glibc
internal import Locks

/// A directory of directories that appear and go as a whole, also when a process dies in between: each is written beside its place under a
/// name that no reader looks at, brought to the disk, and renamed; it goes the other way round. Several processes may share it without a lock.
/// With its files an entry gets their checksums.
package struct ArtifactDirectory: Sendable {
    package let path: String
    private let names = Names()

    /// What the disk has of the names in the directory.
    private final class Names: Sendable {
        /// Whether a name may not be on the disk, as bringing it there failed.
        let areUnsettled = Lock(false)
    }

    private static let writing = ".writing-"
    private static let deleting = ".deleting-"
    /// Seconds after which something half written belongs to no living process.
    private static let abandonedAge = 3_600

    /// Makes the directory if it is missing, and removes what a process that died has left half written or half deleted.
    package init(path: String) throws(ArtifactStoreError) {
        self.path = path
        try Files.makeDirectories(path)
        for name in try Files.names(in: path) {
            let entry = "\(path)/\(name)"
            let isAbandoned = name.hasPrefix(Self.writing) && Files.age(entry).map { $0 > Self.abandonedAge } == true
            if isAbandoned || name.hasPrefix(Self.deleting) { Files.removeTree(entry) }
        }
    }

    /// Makes an entry of files.
    /// - Returns: false if there is one of this name, perhaps of another process that was faster.
    package func create(_ name: String, _ files: [ArtifactFile]) throws -> Bool {
        let temporary = "\(path)/\(Self.writing)\(Self.unique())"
        try prepare()
        try Files.makeDirectory(temporary)
        do {
            var checksums = Checksums()
            for file in files { checksums.files[file.name] = try FileWriter.write(to: "\(temporary)/\(file.name)", file.content) }
            let text = checksums.text
            try FileWriter.write(to: "\(temporary)/\(Checksums.file)") { try $0.write(text) }
            try Files.synchronize(temporary)
            guard try Files.rename(temporary, to: "\(path)/\(name)") else {
                Files.removeTree(temporary)
                // Else the directory has gone meanwhile.
                guard Files.exists("\(path)/\(name)") else { throw ArtifactStoreError.system(call: "rename", path: "\(path)/\(name)", code: ENOENT) }
                return false
            }
        } catch {
            Files.removeTree(temporary)
            throw error
        }
        names.areUnsettled.withLock { $0 = true }
        try settle()
        return true
    }

    /// Brings the names to the disk. If that failed, nothing is said of what is there until it succeeds: what a power failure leaves is unknown.
    private func settle() throws(ArtifactStoreError) {
        guard names.areUnsettled.withLock({ $0 }) else { return }
        try Files.synchronize(path)
        names.areUnsettled.withLock { $0 = false }
    }

    /// Makes the directory anew where it has vanished; not so the one above it, which may be a disk that is away. Called before something is written.
    package func prepare() throws(ArtifactStoreError) {
        guard !Files.exists(path) else { return }
        do throws(ArtifactStoreError) { try Files.makeDirectory(path) } catch .system(_, _, EEXIST) {}
    }

    /// The checksums of an entry's files; nil if it was made before there were any.
    package func checksums(_ name: String) throws(ArtifactStoreError) -> Checksums? {
        let path = "\(path)/\(name)/\(Checksums.file)"
        guard let text = try Files.read(path) else { return nil }
        guard let checksums = Checksums(text: text) else { throw .damaged(path: path) }
        return checksums
    }

    /// One file of an entry to be read in parts; nil if there is none.
    package func reader(_ name: String, _ file: String) throws(ArtifactStoreError) -> FileReader? {
        let checksums = try checksums(name)
        guard let reader = try FileReader("\(path)/\(name)/\(file)", sums: checksums?.files[file]) else { return nil }
        // Of what has checksums each file has one.
        guard checksums == nil || reader.isChecked else { throw .damaged(path: "\(path)/\(name)/\(Checksums.file)") }
        return reader
    }

    /// Whether an entry is there.
    /// - Throws: where the directory itself has gone.
    package func contains(_ name: String) throws(ArtifactStoreError) -> Bool {
        try settle()
        if Files.exists("\(path)/\(name)") { return true }
        guard Files.exists(path) else { throw Files.failure("access", path) }
        return false
    }

    /// Removes an entry: at once for all readers.
    /// - Returns: false if it was not there.
    package func delete(_ name: String) throws(ArtifactStoreError) -> Bool {
        let temporary = "\(path)/\(Self.deleting)\(Self.unique())"
        guard try contains(name), try Files.rename("\(path)/\(name)", to: temporary) else { return false }
        try Files.synchronize(path)
        Files.removeTree(temporary)
        return true
    }

    private static func unique() -> String { String(UInt64.random(in: 0 ... .max), radix: 16) }
}
