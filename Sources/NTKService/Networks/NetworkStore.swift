package import ArtifactStore
internal import FoundationEssentials
internal import LinearAlgebra
internal import Locks
internal import NTK
internal import TensorFormats

/// The networks that have been stored, by the SHA-256 of their architecture and parameters: in a directory that outlives the process, or in
/// memory where there is none.
///
/// A network in the directory is `manifest.json` and `parameters.safetensors`, which Python reads; one from a model file is `manifest.json`,
/// with what a client is told of it, and the file itself.
package final class NetworkStore: Sendable {
    static let prefix = "net_"
    private static let manifest = "manifest.json"
    private static let tensors = "parameters.safetensors"
    private static let model = "model.onnx"

    private let artifacts: ArtifactStore?
    /// Networks in memory; all of them where there is no directory.
    private let cache: LeastRecentlyUsed<ArtifactID, StoredNetwork>
    private let programs: ModelPrograms
    private let resident = Lock<[ArtifactID: StoredNetwork]>([:])
    private let capacity: Int

    /// - Parameters:
    ///   - directory: nil: networks are kept in memory.
    ///   - capacity: bytes of parameters that may stand in memory.
    package init(directory: String?, capacity: Int = 1 << 30) throws(ArtifactStoreError) {
        artifacts = if let directory { try ArtifactStore(directory: directory) } else { nil }
        cache = LeastRecentlyUsed(capacity: capacity)
        programs = ModelPrograms(capacity: capacity)
        self.capacity = capacity
    }

    /// In memory.
    package init() {
        artifacts = nil
        cache = LeastRecentlyUsed(capacity: 0)
        programs = ModelPrograms(capacity: 256 << 20)
        capacity = 1 << 30
    }

    /// A network of a request: an object, a model file, or the id of a stored one.
    func reference(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> NetworkReference {
        if let file = try ModelFile(value, at: pointer) { return .file(file) }
        guard case .string(let name) = value else { return .architecture(try NetworkSource(value, at: pointer)) }
        guard let id = Self.id(name), let stored = try get(id) else {
            throw .invalid(pointer, "the id of a stored network expected, as POST /v1/networks gave it; \"\(name.prefix(80))\" is none")
        }
        return stored.network.stored(at: pointer, id: name, programs)
    }

    static func id(_ name: String) -> ArtifactID? {
        name.hasPrefix(prefix) ? ArtifactID(String(name.dropFirst(prefix.count))) : nil
    }

    static func id(_ network: NetworkSource) -> ArtifactID {
        var hash = ContentHash()
        hash.update(network.manifest)
        if case .given(let arrays) = network.parameters {
            for (name, array) in arrays.sorted(by: { ExactText($0.key) < ExactText($1.key) }) {
                hash.update(name)
                hash.update(array.shape.map(String.init).joined(separator: ","))
                unsafe array.elements.withContiguousStorageIfAvailable { unsafe hash.update(Span(_unsafeElements: $0).bytes) }
            }
        }
        return hash.finish()
    }

    /// - Returns: the id, and whether the network is new.
    func put(_ network: NetworkSource) throws -> (id: ArtifactID, isNew: Bool) {
        try put(
            StoredNetwork(network: .architecture(network)), Self.id(network),
            [
                ArtifactFile(Self.manifest) { try $0.write(Array(network.manifest.utf8)) },
                TensorFile.file(Self.tensors, network.tensors),
            ])
    }

    /// - Parameter members: what a client is told of it, the members of an object. What was told first stands.
    /// - Returns: the id, whether the network is new, and what a client is told.
    func put(_ file: ModelFile, members: String) throws -> (id: ArtifactID, isNew: Bool, members: String) {
        let id = file.id
        let bytes = artifacts == nil ? FileContent(bytes: Array(file.file.bytes[file.file.range]), range: 0..<file.file.range.count) : file.file
        let stored = StoredNetwork(network: .file(try ModelFile(bytes, at: file.place)), members: members)
        let content = file.file
        let (_, isNew) = try put(
            stored, id,
            [
                ArtifactFile(Self.manifest) { try $0.write(Array("{\"onnx\":{\(members)}}".utf8)) },
                ArtifactFile(Self.model) { writer in
                    try unsafe content.bytes.withUnsafeBytes { bytes in
                        try unsafe writer.write(UnsafeRawBufferPointer(rebasing: bytes[content.range]).bytes)
                    }
                },
            ])
        guard !isNew, case .file(let known)? = try summary(id) else { return (id, isNew, members) }
        return (id, isNew, known)
    }

    private func put(_ network: StoredNetwork, _ id: ArtifactID, _ files: [ArtifactFile]) throws -> (id: ArtifactID, isNew: Bool) {
        let bytes = network.network.storedBytes
        guard let artifacts else {
            let isNew = try resident.withLock { networks in
                if networks[id] != nil { return false }
                let used = networks.values.reduce(0) { $0 + $1.network.storedBytes }
                guard used + bytes <= capacity else {
                    throw ProblemDetails.unavailable(
                        "networks of \(capacity) bytes are kept in memory and no more: start the server with a data directory, or delete some")
                }
                networks[id] = network
                return true
            }
            return (id, isNew)
        }
        try artifacts.prepare()
        do {
            try artifacts.check(id)
        } catch .damaged(let path) {
            artifacts.damage.report(id.description, ProblemDetails(ArtifactStoreError.damaged(path: path)).detail)
            // It is stored again.
            _ = try delete(id)
        }
        let isNew = try artifacts.write(id, files)
        // The bytes of a file are those of the request, which are let go with it: it is read when it is asked for.
        if case .architecture = network.network { cache.insert(network, bytes: bytes, for: id) }
        return (id, isNew)
    }

    /// A network; where it has to be read, what that takes is asked for before.
    func get(_ id: ArtifactID) throws(ProblemDetails) -> StoredNetwork? {
        guard let artifacts else { return resident.withLock { $0[id] } }
        return try artifacts.reading(id, Self.name(id)) {
            // Another process may have deleted it.
            guard try artifacts.contains(id) else {
                cache.remove(id)
                return nil
            }
            return try cache.value(for: id) {
                if let members = try modelMembers(id, in: artifacts) { return try model(id, members, in: artifacts) }
                guard let stored = try stored(id, in: artifacts) else { return nil }
                // One after another: the bytes of the largest are there beside its numbers.
                let sizes = stored.entries.map(\.place.count)
                let bytes = stored.demand.addingClamped(sizes.reduce(sizes.max() ?? 0) { $0.addingClamped($1) })
                try Allowance.take(bytes, for: Self.object(id, bytes))
                var arrays: [String: NumericArray] = [:]
                for entry in stored.entries {
                    let tensor = try TensorFile.read(entry, from: stored.file)
                    arrays[entry.name] = NumericArray(shape: entry.shape, elements: NumericElements(tensor.values.storage))
                }
                let network = try Self.network(stored.text, arrays)
                // What has no checksums has its name.
                guard stored.file.isChecked || Self.id(network) == id else { throw ProblemDetails.damagedRecord(Self.tensors) }
                artifacts.damage.clear(id.description)
                return (StoredNetwork(network: .architecture(network)), network.givenCount * 8 + 4096)
            }
        }
    }

    /// A network from a model file, when there is memory for it.
    private func model(_ id: ArtifactID, _ members: String, in artifacts: ArtifactStore) throws -> (StoredNetwork, bytes: Int)? {
        guard let file = try artifacts.reader(id, Self.model) else { return nil }
        let demand = file.count.addingClamped(ModelFile.readingBytes(file.count))
        try Allowance.take(demand, for: Self.object(id, demand))
        let bytes = try file.read(0..<file.count)
        let content = FileContent(bytes: bytes, range: 0..<bytes.count)
        guard let network = try? ModelFile(content, at: .pointer("/network")) else { throw ProblemDetails.damagedRecord(Self.model) }
        artifacts.damage.clear(id.description)
        return (StoredNetwork(network: .file(network), members: members), network.storedBytes + 4096)
    }

    /// What a client is told of a network from a model file; nil for one of an architecture.
    private func modelMembers(_ id: ArtifactID, in artifacts: ArtifactStore) throws -> String? {
        guard let text = try artifacts.reader(id, Self.manifest) else { return nil }
        let (start, end) = (Array("{\"onnx\":{".utf8), Array("}}".utf8))
        guard text.count >= start.count + end.count, try text.read(0..<start.count) == start else { return nil }
        try Allowance.look(forTexts: text.count, of: Self.object(id, text.count))
        return String(decoding: try text.read(start.count..<text.count - end.count), as: UTF8.self)
    }

    /// What a client is told of a network.
    enum Summary: Sendable {
        case architecture(NetworkSummary)
        /// Members of an object.
        case file(members: String)
    }

    /// What a client is told of a network: no numbers are read for it.
    func summary(_ id: ArtifactID) throws(ProblemDetails) -> Summary? {
        guard let artifacts else { return resident.withLock { $0[id] }.map(\.summary) }
        return try artifacts.reading(id, Self.name(id)) {
            guard try artifacts.contains(id) else {
                cache.remove(id)
                return nil
            }
            if let known = cache[id] { return known.summary }
            if let detail = artifacts.damage[id.description] { throw ProblemDetails.damagedRecord(detail) }
            try artifacts.check(id, most: RegressorLibrary.checkedBytes)
            if let members = try modelMembers(id, in: artifacts) { return .file(members: members) }
            guard let stored = try stored(id, in: artifacts) else { return nil }
            let shapes = Dictionary(uniqueKeysWithValues: stored.entries.map { ($0.name, $0.shape) })
            return .architecture(NetworkSummary(try Self.network(stored.text, [:]), shapes: shapes))
        }
    }

    /// A network on the disk, of whose numbers nothing has been read.
    private struct Stored {
        var text: [UInt8]
        var file: FileReader
        var entries: [TensorFile.Entry]
        /// Bytes that the text and the header of the file take.
        var demand: Int
    }

    /// Reads the text of an architecture and what its parameters are, when there is memory for what both become; nil if there is none.
    private func stored(_ id: ArtifactID, in artifacts: ArtifactStore) throws -> Stored? {
        guard let file = try artifacts.reader(id, Self.tensors), let text = try artifacts.reader(id, Self.manifest) else { return nil }
        let demand = try Self.demand(text.count, file)
        try Allowance.look(forTexts: demand, of: Self.object(id, demand))
        guard let entries = try TensorFile.header(file) else { throw ProblemDetails.damagedRecord(Self.tensors) }
        return Stored(text: try text.read(0..<text.count), file: file, entries: entries, demand: demand)
    }

    /// - Parameter arrays: its parameters, unless they are drawn.
    private static func network(_ text: [UInt8], _ arrays: [String: NumericArray]) throws -> NetworkSource {
        let value = try JSONValue.parse(text)
        let hasArrays = if case .object(let object) = value { object["initialization"] == nil } else { false }
        return try NetworkSource(value, at: "/network", arrays: hasArrays ? arrays : nil)
    }

    private static func object(_ id: ArtifactID, _ bytes: Int) -> StoredObject { StoredObject(name: name(id), bytes: bytes) }

    private static func name(_ id: ArtifactID) -> String { "the network \(prefix)\(id)" }

    /// Those that were found damaged.
    package var damages: Int { artifacts?.damage.count ?? 0 }

    /// Bytes that the texts of a network take.
    private static func demand(_ manifest: Int, _ file: FileReader) throws -> Int {
        let header = try TensorFile.headerBytes(file) ?? 0
        return [manifest, header].reduce(0) { $0.addingClamped($1).addingClamped(JSONDemand(size: $1, .few).bytes) }
    }

    func list(after cursor: ArtifactID?, limit: Int) throws -> (ids: [ArtifactID], hasMore: Bool) {
        if let artifacts { return try artifacts.list(after: cursor, limit: limit) }
        let ids = resident.withLock { $0.keys.sorted() }.filter { id in cursor.map { $0 < id } ?? true }
        return (Array(ids.prefix(limit)), ids.count > limit)
    }

    func delete(_ id: ArtifactID) throws -> Bool {
        cache.remove(id)
        programs.remove(id)
        guard let artifacts else { return resident.withLock { $0.removeValue(forKey: id) != nil } }
        return try artifacts.delete(id)
    }
}
