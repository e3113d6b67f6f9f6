internal import ArtifactStore
internal import LinearAlgebra
internal import TensorFormats

/// The regressors of a data directory: on disk, and as many in memory as a number of bytes allows. Whoever shares the directory sees the
/// same ones.
package final class RegressorLibrary: Sendable {
    private let store: ArtifactStore
    private let models: LeastRecentlyUsed<ArtifactID, Regressor>
    /// Fits with their factors, for covariances.
    private let factors: LeastRecentlyUsed<ArtifactID, FittedRegression>

    /// - Parameter cacheBytes: of models, and again of factors.
    package init(dataDirectory: String, cacheBytes: Int) throws {
        store = try ArtifactStore(directory: dataDirectory + "/regressors")
        models = LeastRecentlyUsed(capacity: cacheBytes)
        factors = LeastRecentlyUsed(capacity: cacheBytes)
    }

    /// Fits and keeps what is not there yet.
    func create(_ request: RegressorRequest, on tiles: any TileExecutor) throws -> (regressor: Regressor, isNew: Bool) {
        if let known = try find(request.id) { return (known, false) }
        let fit = try FittedRegression(request.fit, needsCovariance: false, on: tiles)
        let isNew = try store.write(request.id, RegressorFile.files(fit, request.fit.settings, id: request.id))
        // Read back, so that what is answered now is what will be answered later.
        guard let regressor = try find(request.id) else { throw ProblemDetails.unavailable("the regressor was deleted while it was made") }
        return (regressor, isNew)
    }

    /// Loads a regressor where it is not in memory; nil if there is none.
    func find(_ id: ArtifactID) throws -> Regressor? {
        // Another process may have deleted it.
        guard store.contains(id) else {
            forget(id)
            return nil
        }
        return try models.value(for: id) {
            guard let manifest = try store.read(id, RegressorFile.manifest), let file = try store.reader(id, RegressorFile.tensors) else {
                return nil
            }
            let regressor = try RegressorFile.read(id, manifest: manifest, tensors: file)
            return (regressor, regressor.bytes)
        }
    }

    /// What a client is told of a regressor: no numbers are read for it. Nil if there is none.
    func description(_ id: ArtifactID) throws -> String? {
        guard store.contains(id) else {
            forget(id)
            return nil
        }
        if let known = models[id] { return known.description }
        guard let manifest = try store.reader(id, RegressorFile.manifest), let file = try store.reader(id, RegressorFile.tensors) else { return nil }
        try Self.look(for: Self.descriptionBytes(manifest.count), "what is told of the regressor \(id)")
        return try RegressorFile.description(id, manifest: manifest.read(0..<manifest.count), tensors: file)
    }

    private static func look(for bytes: Int, _ name: String) throws {
        try Allowance.look(forTexts: bytes, of: StoredObject(name: name, bytes: bytes))
    }

    /// 0 if there is none.
    private func manifestBytes(_ id: ArtifactID) throws -> Int { try store.reader(id, RegressorFile.manifest)?.count ?? 0 }

    /// Bytes that it takes to tell of a regressor with a manifest of as many bytes.
    private static func descriptionBytes(_ size: Int) -> Int { size.addingClamped(JSONDemand(size: size, .few).bytes) }

    /// Bytes that it takes to read one: of its texts, of its numbers, and of the largest array beside its numbers; 0 if there is none.
    func readingBytes(_ id: ArtifactID) throws -> Int {
        guard let file = try store.reader(id, RegressorFile.tensors), let entries = try TensorFile.header(file) else { return 0 }
        return try file.count.addingClamped(entries.map(\.place.count).max() ?? 0).addingClamped(Self.descriptionBytes(manifestBytes(id)))
    }

    /// A regressor in memory, if it is there: no disk is read but for whether it still exists.
    func cached(_ id: ArtifactID) -> Regressor? { store.contains(id) ? models[id] : nil }

    func factored(_ regressor: Regressor, on tiles: any TileExecutor) throws -> FittedRegression {
        try factors.value(for: regressor.id) { (try regressor.factored(on: tiles), regressor.factorBytes) } ?? regressor.fit
    }

    func list(after cursor: ArtifactID?, limit: Int) throws -> (descriptions: [String], next: ArtifactID?) {
        let page = try store.list(after: cursor, limit: limit)
        // All of them, twice while they are put together, and one that is read.
        let sizes = try page.ids.map(manifestBytes)
        let bytes = sizes.reduce(0) { $0.addingClamped($1.multipliedClamped(by: 2)) }.addingClamped(Self.descriptionBytes(sizes.max() ?? 0))
        try Self.look(for: bytes, "the list of these \(page.ids.count) regressors")
        // One that was deleted in between is not there.
        return (try page.ids.compactMap { try description($0) }, page.hasMore ? page.ids.last : nil)
    }

    func delete(_ id: ArtifactID) throws -> Bool {
        forget(id)
        return try store.delete(id)
    }

    private func forget(_ id: ArtifactID) {
        models.remove(id)
        factors.remove(id)
    }
}
