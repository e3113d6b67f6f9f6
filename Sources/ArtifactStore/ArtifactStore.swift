/// A directory of artifacts that never change, each a directory of files named by the SHA-256 of what it was made from.
///
/// An artifact is written beside its place, under a name that no reader looks at; its files and that directory are brought to the disk by
/// fsync; it is renamed to its place, and the parent brought to the disk. So an artifact that is visible is complete, also after a
/// `kill -9` or a power failure, and several processes can share the directory without a lock: the second with the same content
/// finds it there.
///
/// Beside its files stand their checksums, by which all that is read is checked, a block at a time.
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
    private let artifacts: ArtifactDirectory
    package var directory: String { artifacts.path }

    /// Makes the directory if it is missing, and removes what a process that died has left half written or half deleted.
    package init(directory: String) throws(ArtifactStoreError) { artifacts = try ArtifactDirectory(path: directory) }

    /// What was found damaged, until it is made anew, deleted, or read whole.
    package let damage = DamageRegister()
    private let checked = CheckedFiles()

    /// Whether an artifact is there.
    /// - Throws: if the directory itself has gone, as what it held is unknown.
    package func contains(_ id: ArtifactID) throws(ArtifactStoreError) -> Bool { try artifacts.contains(id.description) }

    /// Makes the directory anew if it has vanished, before something is written.
    package func prepare() throws(ArtifactStoreError) { try artifacts.prepare() }

    /// Writes an artifact.
    /// - Returns: false if it was there already.
    @discardableResult
    package func write(_ id: ArtifactID, _ files: [ArtifactFile]) throws -> Bool {
        try prepare()
        if try contains(id) { return false }
        let isNew = try artifacts.create(id.description, files)
        if isNew { damage.clear(id.description) }
        return isNew
    }

    /// The bytes of one file; nil if there is no such artifact.
    /// - Throws: `damaged` if they are not those that were written.
    package func read(_ id: ArtifactID, _ file: String) throws(ArtifactStoreError) -> [UInt8]? {
        guard let reader = try reader(id, file) else { return nil }
        return try reader.read(0..<reader.count)
    }

    /// One file to be read in parts; nil if there is no such artifact.
    package func reader(_ id: ArtifactID, _ file: String) throws(ArtifactStoreError) -> FileReader? {
        if let reader = try artifacts.reader(id.description, file) { return reader }
        guard try contains(id) else { return nil }
        throw .damaged(path: "\(path(id))/\(file)")
    }

    /// Reads all files of an artifact, to see whether they are what was written; those that were seen to be, and have not changed since, are
    /// left out. Does nothing if there is no such artifact.
    /// - Parameter most: files of more bytes are left out.
    package func check(_ id: ArtifactID, most: Int = .max) throws(ArtifactStoreError) {
        guard let checksums = try artifacts.checksums(id.description) else { return }
        for (name, sums) in checksums.files where sums.count <= most {
            guard let file = try reader(id, name) else { return }
            if checked.contains(file.stamp) { continue }
            try file.check()
            checked.insert(file.stamp)
        }
    }

    /// The ids in ascending order, those after `cursor` if there is one, at most `limit`.
    package func list(after cursor: ArtifactID? = nil, limit: Int) throws(ArtifactStoreError) -> (ids: [ArtifactID], hasMore: Bool) {
        let ids = try Files.names(in: directory).compactMap { ArtifactID($0) }.filter { id in cursor.map { $0 < id } ?? true }.sorted()
        return (Array(ids.prefix(limit)), ids.count > limit)
    }

    /// Removes an artifact: at once for all readers.
    /// - Returns: false if it was not there.
    package func delete(_ id: ArtifactID) throws(ArtifactStoreError) -> Bool {
        damage.clear(id.description)
        return try artifacts.delete(id.description)
    }

    private func path(_ id: ArtifactID) -> String { "\(directory)/\(id)" }
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
