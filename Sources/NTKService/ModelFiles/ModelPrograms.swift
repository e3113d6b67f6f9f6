internal import ArtifactStore
internal import FiniteNetworks
internal import LinearAlgebra

/// The programs of stored networks from files that were used last, so that a request that names one does not compile it again.
///
/// A program is kept for an output, the shapes of its points and a precision. All together take no more than a number of bytes: their
/// constants, and the files that their networks are read from.
final class ModelPrograms: Sendable {
    struct Key: Hashable, Sendable {
        var id: ArtifactID
        var output: String?
        var shapes: [String: [Int]]
        var isFloat32: Bool
    }

    struct Entry<F: NetworkScalar>: Sendable {
        var network: GraphNetwork
        var program: NetworkProgram<F>
        /// Of its constants.
        var bytes: Int
    }

    private let programs: LeastRecentlyUsed<Key, any Sendable>

    init(capacity: Int) { programs = LeastRecentlyUsed(capacity: capacity) }

    subscript<F: NetworkScalar>(_ key: Key) -> Entry<F>? { programs[key] as? Entry<F> }

    func insert<F: NetworkScalar>(_ entry: Entry<F>, bytes: Int, for key: Key) {
        // Steps, and what a compiled value is told of.
        let records = entry.program.stepCount.multipliedClamped(by: 2048)
        programs.insert(entry, bytes: bytes.addingClamped(records), for: key)
    }

    /// Forgets those of a network.
    func remove(_ id: ArtifactID) { programs.removeAll { $0.id == id } }
}
