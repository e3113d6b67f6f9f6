package import ArtifactStore
internal import FoundationEssentials
internal import LinearAlgebra
internal import Locks
internal import NTK
internal import TensorFormats

/// The networks that have been stored, by the SHA-256 of their architecture and parameters: in a directory that outlives the process, or in
/// memory where there is none.
///
/// A network in the directory is `manifest.json` and `parameters.safetensors`, which Python reads.
package final class NetworkStore: Sendable {
    static let prefix = "net_"
    private static let manifest = "manifest.json"
    private static let tensors = "parameters.safetensors"

    private let artifacts: ArtifactStore?
    /// Networks in memory; all of them where there is no directory.
    private let cache: LeastRecentlyUsed<ArtifactID, NetworkSource>
    private let resident = Lock<[ArtifactID: NetworkSource]>([:])
    private let capacity: Int

    /// - Parameters:
    ///   - directory: nil: networks are kept in memory.
    ///   - capacity: bytes of parameters that may stand in memory.
    package init(directory: String?, capacity: Int = 1 << 30) throws(ArtifactStoreError) {
        artifacts = if let directory { try ArtifactStore(directory: directory) } else { nil }
        cache = LeastRecentlyUsed(capacity: capacity)
        self.capacity = capacity
    }

    /// In memory.
    package init() {
        artifacts = nil
        cache = LeastRecentlyUsed(capacity: 0)
        capacity = 1 << 30
    }

    /// A network of a request: an object, or the id of a stored one.
    func source(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> NetworkSource {
        guard case .string(let name) = value else { return try NetworkSource(value, at: pointer) }
        guard let id = Self.id(name), let network = try get(id) else {
            throw .invalid(pointer, "the id of a stored network expected, as POST /v1/networks gave it; \"\(name.prefix(80))\" is none")
        }
        return network.stored(at: pointer, id: name)
    }

    static func id(_ name: String) -> ArtifactID? {
        name.hasPrefix(prefix) ? ArtifactID(String(name.dropFirst(prefix.count))) : nil
    }

    static func id(_ network: NetworkSource) -> ArtifactID {
        var hash = ContentHash()
        hash.update(network.manifest)
        if case .given(let arrays) = network.parameters {
            for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
                hash.update(name)
                hash.update(array.shape.map(String.init).joined(separator: ","))
                unsafe array.elements.withContiguousStorageIfAvailable { unsafe hash.update(Span(_unsafeElements: $0).bytes) }
            }
        }
        return hash.finish()
    }

    /// - Returns: the id, and whether the network is new.
    func put(_ network: NetworkSource) throws -> (id: ArtifactID, isNew: Bool) {
        let id = Self.id(network)
        let bytes = network.givenCount * 8 + 4096
        guard let artifacts else {
            let isNew = try resident.withLock { networks in
                if networks[id] != nil { return false }
                let used = networks.values.reduce(0) { $0 + $1.givenCount * 8 + 4096 }
                guard used + bytes <= capacity else {
                    throw ProblemDetails.unavailable(
                        "networks of \(capacity) bytes are kept in memory and no more: start the server with a data directory, or delete some")
                }
                networks[id] = network
                return true
            }
            return (id, isNew)
        }
        let isNew = try artifacts.write(
            id,
            [
                ArtifactFile(Self.manifest) { try $0.write(Array(network.manifest.utf8)) },
                TensorFile.file(Self.tensors, network.tensors),
            ])
        cache.insert(network, bytes: bytes, for: id)
        return (id, isNew)
    }

    func get(_ id: ArtifactID) throws(ProblemDetails) -> NetworkSource? {
        guard let artifacts else { return resident.withLock { $0[id] } }
        do {
            return try cache.value(for: id) {
                guard let manifest = try artifacts.read(id, Self.manifest), let tensors = try artifacts.read(id, Self.tensors) else { return nil }
                let network = try NetworkSource(
                    JSONValue.parse(manifest), at: "/network", arrays: Self.hasArrays(manifest) ? Self.arrays(tensors) : nil)
                return (network, network.givenCount * 8 + 4096)
            }
        } catch let problem as ProblemDetails {
            throw problem
        } catch {
            throw .damagedRecord("network \(Self.prefix)\(id)")
        }
    }

    func list(after cursor: ArtifactID?, limit: Int) throws -> (ids: [ArtifactID], hasMore: Bool) {
        if let artifacts { return try artifacts.list(after: cursor, limit: limit) }
        let ids = resident.withLock { $0.keys.sorted() }.filter { id in cursor.map { $0 < id } ?? true }
        return (Array(ids.prefix(limit)), ids.count > limit)
    }

    func delete(_ id: ArtifactID) throws -> Bool {
        cache.remove(id)
        guard let artifacts else { return resident.withLock { $0.removeValue(forKey: id) != nil } }
        return try artifacts.delete(id)
    }

    private static func arrays(_ file: [UInt8]) throws -> [String: NumericArray] {
        guard let tensors = TensorFile.read(file) else { throw ProblemDetails.damagedRecord(Self.tensors) }
        return tensors.mapValues { NumericArray(shape: [$0.values.rows] + $0.shape, elements: NumericElements($0.values.storage)) }
    }

    private static func hasArrays(_ manifest: [UInt8]) throws -> Bool {
        guard case .object(let object) = try JSONValue.parse(manifest) else { return false }
        return object["initialization"] == nil
    }
}
