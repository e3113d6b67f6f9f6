/// A directory of artifacts that never change, each a directory of files named by the SHA-256 of what it was made from.
///
/// An artifact is written beside its place, under a name that no reader looks at; its files and that directory are brought to the disk by
/// fsync; it is renamed to its place, and the parent brought to the disk. So whoever sees an artifact sees all of it, also after a
/// `kill -9` or a power failure, and several processes can share the directory without a lock: who comes second with the same content
/// finds it there.
///
///     let store = try ArtifactStore(directory: dataDirectory + "/regressors")
///     var hash = ContentHash()
///     hash.update(manifest)
///     let id = hash.finish()
///     try store.write(id, [ArtifactFile("manifest.json") { try $0.write(manifestBytes) }])
///     let manifest = try store.read(id, "manifest.json")
///
/// One store holds one kind of artifact. What is read often belongs into a `LeastRecentlyUsed`.
package struct ArtifactStore: Sendable {
    package let directory: String

    private static let writing = ".writing-"
    private static let deleting = ".deleting-"
    /// Seconds after which something half written belongs to no living process.
    private static let abandonedAge = 3_600

    /// Makes the directory if it is missing, and removes what a process that died has left half written or half deleted.
    package init(directory: String) throws(ArtifactStoreError) {
        self.directory = directory
        try Files.makeDirectories(directory)
        for name in try Files.names(in: directory) {
            let path = "\(directory)/\(name)"
            let isAbandoned = name.hasPrefix(Self.writing) && Files.age(path).map { $0 > Self.abandonedAge } == true
            if isAbandoned || name.hasPrefix(Self.deleting) { Files.removeTree(path) }
        }
    }

    package func contains(_ id: ArtifactID) -> Bool { Files.exists(path(id)) }

    /// Writes an artifact.
    /// - Returns: false if it was there already.
    @discardableResult
    package func write(_ id: ArtifactID, _ files: [ArtifactFile]) throws -> Bool {
        if contains(id) { return false }
        let temporary = "\(directory)/\(Self.writing)\(Self.unique())"
        try Files.makeDirectory(temporary)
        do {
            for file in files { try FileWriter.write(to: "\(temporary)/\(file.name)", file.content) }
            try Files.synchronize(temporary)
            guard try Files.rename(temporary, to: path(id)) else {
                // Another process was faster with the same content.
                Files.removeTree(temporary)
                return false
            }
        } catch {
            Files.removeTree(temporary)
            throw error
        }
        try Files.synchronize(directory)
        return true
    }

    /// The bytes of one file; nil if there is no such artifact.
    package func read(_ id: ArtifactID, _ file: String) throws(ArtifactStoreError) -> [UInt8]? {
        if let bytes = try Files.read("\(path(id))/\(file)") { return bytes }
        guard contains(id) else { return nil }
        throw .damaged(path: "\(path(id))/\(file)")
    }

    /// The ids in ascending order, those after `cursor` if there is one, at most `limit`.
    package func list(after cursor: ArtifactID? = nil, limit: Int) throws(ArtifactStoreError) -> (ids: [ArtifactID], hasMore: Bool) {
        let ids = try Files.names(in: directory).compactMap { ArtifactID($0) }.filter { id in cursor.map { $0 < id } ?? true }.sorted()
        return (Array(ids.prefix(limit)), ids.count > limit)
    }

    /// Removes an artifact: at once for all readers.
    /// - Returns: false if it was not there.
    package func delete(_ id: ArtifactID) throws(ArtifactStoreError) -> Bool {
        let temporary = "\(directory)/\(Self.deleting)\(Self.unique())"
        guard Files.exists(path(id)), try Files.rename(path(id), to: temporary) else { return false }
        try Files.synchronize(directory)
        Files.removeTree(temporary)
        return true
    }

    private func path(_ id: ArtifactID) -> String { "\(directory)/\(id)" }

    private static func unique() -> String { String(UInt64.random(in: 0 ... .max), radix: 16) }
}

/// One file of an artifact that is to be written.
package struct ArtifactFile: Sendable {
    package let name: String
    /// Writes the content from start to end.
    package let content: @Sendable (FileWriter) throws -> Void

    package init(_ name: String, _ content: @escaping @Sendable (FileWriter) throws -> Void) {
        self.name = name
        self.content = content
    }
}
