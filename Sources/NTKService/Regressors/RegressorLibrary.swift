internal import ArtifactStore
internal import Attribution
internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// The regressors of a data directory: on disk, and as many in memory as a number of bytes allows. All servers on the directory see the
/// same ones.
package final class RegressorLibrary: Sendable {
    private let store: ArtifactStore
    private let models: LeastRecentlyUsed<ArtifactID, Regressor>
    /// Fits with their factors, for covariances.
    private let factors: LeastRecentlyUsed<ArtifactID, FittedRegression>
    /// What their points do to them.
    private let attributions: LeastRecentlyUsed<ArtifactID, RegressionAttribution>

    /// - Parameter cacheBytes: of models, and again of factors.
    package init(dataDirectory: String, cacheBytes: Int) throws {
        store = try ArtifactStore(directory: dataDirectory + "/regressors")
        models = LeastRecentlyUsed(capacity: cacheBytes)
        factors = LeastRecentlyUsed(capacity: cacheBytes)
        attributions = LeastRecentlyUsed(capacity: cacheBytes)
    }

    /// Fits and keeps what is not there yet.
    func create(_ request: RegressorRequest, on tiles: any TileExecutor) throws -> (regressor: Regressor, isNew: Bool) {
        try store.prepare()
        do {
            if let known = try find(request.id) { return (known, false) }
        } catch let problem as ProblemDetails where problem.type == .damagedArtifact {
            // It is fitted again.
        }
        let fit = try FittedRegression(request.fit, needsCovariance: false, on: tiles)
        try removeDamaged(request.id)
        let isNew = try store.write(request.id, RegressorFile.files(fit, request.fit.settings, id: request.id))
        // Read back, so that what is answered now is what will be answered later.
        guard let regressor = try find(request.id) else { throw ProblemDetails.unavailable("the regressor was deleted while it was made") }
        return (regressor, isNew)
    }

    /// Loads a regressor where it is not in memory; nil if there is none.
    func find(_ id: ArtifactID) throws -> Regressor? {
        // Another process may have deleted it.
        guard try store.contains(id) else {
            forget(id)
            return nil
        }
        return try models.value(for: id) {
            let regressor = try store.reading(id, Self.name(id)) { () -> Regressor? in
                guard let manifest = try store.read(id, RegressorFile.manifest), let file = try store.reader(id, RegressorFile.tensors) else {
                    return nil
                }
                return try RegressorFile.read(id, manifest: manifest, tensors: file) { try store.reader(id, RegressorFile.model) }
            }
            store.damage.clear(id.description)
            return regressor.map { ($0, $0.bytes) }
        }
    }

    private static func name(_ id: ArtifactID) -> String { "the regressor \(id)" }

    /// Makes room for one that is fitted again; another may have done so meanwhile.
    private func removeDamaged(_ id: ArtifactID) throws {
        guard store.damage[id.description] != nil else { return }
        do {
            if try find(id) == nil { store.damage.clear(id.description) }
        } catch let problem as ProblemDetails where problem.type == .damagedArtifact {
            _ = try delete(id)
        }
    }

    /// What a client is told of a regressor: no numbers are read for it. Nil if there is none.
    func description(_ id: ArtifactID) throws -> String? {
        guard try store.contains(id) else {
            forget(id)
            return nil
        }
        if let known = models[id] { return known.description }
        return try store.reading(id, Self.name(id)) {
            guard let manifest = try store.reader(id, RegressorFile.manifest), let file = try store.reader(id, RegressorFile.tensors) else {
                return nil
            }
            try Self.look(for: Self.descriptionBytes(manifest.count), "what is told of the regressor \(id)")
            try store.check(id, most: Self.checkedBytes)
            return try RegressorFile.description(id, manifest: manifest.read(0..<manifest.count), tensors: file)
        }
    }

    /// Files up to this size are read to tell of what they hold, for whether they are damaged; what is wrong with larger ones is known once they
    /// are used.
    static let checkedBytes = 1 << 20

    /// What a list says of a regressor; nil if there is none.
    private func entry(_ id: ArtifactID) throws -> String? {
        if let detail = store.damage[id.description], models[id] == nil {
            return try store.contains(id) ? UnreadableEntry.json(id: id.description, detail: detail, isDamaged: true) : nil
        }
        do {
            return try description(id)
        } catch let problem as ProblemDetails where problem.type == .damagedArtifact || problem.isOfStorage {
            return UnreadableEntry.json(id: id.description, problem)
        }
    }

    private static func look(for bytes: Int, _ name: String) throws {
        try Allowance.look(forTexts: bytes, of: StoredObject(name: name, bytes: bytes))
    }

    /// 0 if there is none, or it is damaged.
    private func manifestBytes(_ id: ArtifactID) -> Int { (try? store.reader(id, RegressorFile.manifest)?.count) ?? 0 }

    /// Bytes that it takes to tell of a regressor with a manifest of as many bytes.
    private static func descriptionBytes(_ size: Int) -> Int { size.addingClamped(JSONDemand(size: size, .few).bytes) }

    /// Bytes that it takes to read one: of its texts, of its numbers, and of the largest array beside its numbers; 0 if there is none.
    func readingBytes(_ id: ArtifactID) throws -> Int {
        try store.reading(id, Self.name(id)) {
            guard let file = try store.reader(id, RegressorFile.tensors), let entries = try TensorFile.header(file) else { return 0 }
            let numbers = file.count.addingClamped(entries.map(\.place.count).max() ?? 0)
            // A model's numbers are in its file, and in the program that it becomes.
            let model = try RegressorFile.hasModel(entries) ? store.reader(id, RegressorFile.model)?.count ?? 0 : 0
            let program = model == 0 ? 0 : ModelFile.readingBytes(model).addingClamped(model.multipliedClamped(by: 4))
            return numbers.addingClamped(program).addingClamped(Self.descriptionBytes(manifestBytes(id)))
        }
    }

    /// A regressor in memory, if it is there: no disk is read but for whether it still exists.
    func cached(_ id: ArtifactID) -> Regressor? { (try? store.contains(id)) == true ? models[id] : nil }

    func factored(_ regressor: Regressor, on tiles: any TileExecutor) throws -> FittedRegression {
        try factors.value(for: regressor.id) { (try regressor.factored(on: tiles), regressor.factorBytes) } ?? regressor.fit
    }

    /// Whether the factor of a regressor is in memory.
    func isFactored(_ id: ArtifactID) -> Bool { factors[id] != nil }

    /// What the points of a regressor do to it: from its factor, which is made only where it is not in memory.
    func attribution(_ regressor: Regressor, on tiles: any TileExecutor) throws -> RegressionAttribution {
        func make() throws -> RegressionAttribution {
            var fit = try factored(regressor, on: tiles)
            // Of a singular system a factor alone does not tell.
            if fit.regression.isSingular, fit.regression.leaveOneOutResiduals == nil {
                fit = try FittedRegression(regressor.factoring(.complete), needsCovariance: true, on: tiles)
            }
            return try fit.attribution(on: tiles)
        }
        let bytes = Count(regressor.factorBytes) + Count(regressor.fit.training.order) * 8 * (Count(regressor.fit.targets.matrix.columns) * 5 + 4)
        guard let found = try attributions.value(for: regressor.id, { (try make(), bytes.value) }) else { return try make() }
        return found
    }

    /// Whether a regressor's attribution is in memory.
    func isAttributed(_ id: ArtifactID) -> Bool { attributions[id] != nil }

    func list(after cursor: ArtifactID?, limit: Int) throws -> (descriptions: [String], next: ArtifactID?) {
        let page = try store.list(after: cursor, limit: limit)
        // All of them, twice while they are put together, and one that is read.
        let sizes = page.ids.map(manifestBytes)
        let bytes = sizes.reduce(0) { $0.addingClamped($1.multipliedClamped(by: 2)) }.addingClamped(Self.descriptionBytes(sizes.max() ?? 0))
        try Self.look(for: bytes, "the list of these \(page.ids.count) regressors")
        // One that was deleted in between is not there.
        return (try page.ids.compactMap { try entry($0) }, page.hasMore ? page.ids.last : nil)
    }

    /// The ids of all, in ascending order.
    func ids() throws -> [ArtifactID] { try store.list(limit: .max).ids }

    func delete(_ id: ArtifactID) throws -> Bool {
        forget(id)
        return try store.delete(id)
    }

    /// Those that were found damaged.
    package var damages: Int { store.damage.count }

    private func forget(_ id: ArtifactID) {
        models.remove(id)
        factors.remove(id)
        attributions.remove(id)
    }
}
