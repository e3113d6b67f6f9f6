/// A directory of directories that appear and go as a whole, also when a process dies in between: each is written beside its place under a
/// name that no reader looks at, brought to the disk, and renamed; it goes the other way round. Several processes may share it without a lock.
package struct ArtifactDirectory: Sendable {
    package let path: String

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

    /// Makes an entry; `write` fills the directory that it is given.
    /// - Returns: false if there is one of this name, perhaps of another process that was faster.
    package func create(_ name: String, _ write: (_ directory: String) throws -> Void) throws -> Bool {
        let temporary = "\(path)/\(Self.writing)\(Self.unique())"
        try Files.makeDirectory(temporary)
        do {
            try write(temporary)
            try Files.synchronize(temporary)
            guard try Files.rename(temporary, to: "\(path)/\(name)") else {
                Files.removeTree(temporary)
                return false
            }
        } catch {
            Files.removeTree(temporary)
            throw error
        }
        try Files.synchronize(path)
        return true
    }

    /// Removes an entry: at once for all readers.
    /// - Returns: false if it was not there.
    package func delete(_ name: String) throws(ArtifactStoreError) -> Bool {
        let temporary = "\(path)/\(Self.deleting)\(Self.unique())"
        guard Files.exists("\(path)/\(name)"), try Files.rename("\(path)/\(name)", to: temporary) else { return false }
        try Files.synchronize(path)
        Files.removeTree(temporary)
        return true
    }

    private static func unique() -> String { String(UInt64.random(in: 0 ... .max), radix: 16) }
}
