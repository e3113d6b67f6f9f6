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
    private let artifacts: ArtifactDirectory
    package var directory: String { artifacts.path }

    /// Makes the directory if it is missing, and removes what a process that died has left half written or half deleted.
    package init(directory: String) throws(ArtifactStoreError) { artifacts = try ArtifactDirectory(path: directory) }

    package func contains(_ id: ArtifactID) -> Bool { Files.exists(path(id)) }

    /// Writes an artifact.
    /// - Returns: false if it was there already.
    @discardableResult
    package func write(_ id: ArtifactID, _ files: [ArtifactFile]) throws -> Bool {
        if contains(id) { return false }
        return try artifacts.create(id.description) { place in
            for file in files { try FileWriter.write(to: "\(place)/\(file.name)", file.content) }
        }
    }

    /// The bytes of one file; nil if there is no such artifact.
    package func read(_ id: ArtifactID, _ file: String) throws(ArtifactStoreError) -> [UInt8]? {
        if let bytes = try Files.read("\(path(id))/\(file)") { return bytes }
        guard contains(id) else { return nil }
        throw .damaged(path: "\(path(id))/\(file)")
    }

    /// One file to be read in parts; nil if there is no such artifact.
    package func reader(_ id: ArtifactID, _ file: String) throws(ArtifactStoreError) -> FileReader? {
        if let reader = try FileReader("\(path(id))/\(file)") { return reader }
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
    package func delete(_ id: ArtifactID) throws(ArtifactStoreError) -> Bool { try artifacts.delete(id.description) }

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
