internal import HTTPTypes
internal import LinearAlgebra
internal import Locks

/// Memory that what was read may grow by when it is validated: lists of edges become matrices, channels change places.
///
/// How much that is stands deep within a request: if it is too little, the problem says what is missing.
final class Allowance: Sendable {
    /// Of the request that is being read.
    @TaskLocal static var current: Allowance?
    /// Bytes that need no reservation.
    static let small = 1 << 20

    /// Bytes that one request may take.
    let limit: Int
    private let left: Lock<Int>
    private let tiles: (any TileExecutor)?

    /// - Parameter tiles: of the worker that reads the request; what they throw ends the reading.
    init(_ bytes: Int, limit: Int = .max, tiles: (any TileExecutor)? = nil) {
        left = Lock(bytes)
        self.limit = limit
        self.tiles = tiles
    }

    /// - Throws: if the request was cancelled.
    func checkCancellation() throws { try tiles?.forEach(0) { _ in } }

    static func take(_ bytes: Int, for object: StoredObject? = nil) throws(ProblemDetails) { try look(for: bytes, taking: bytes, for: object) }

    /// Makes sure that there is so much for texts of something that is stored. Small ones need no reservation.
    static func look(forTexts bytes: Int, of object: StoredObject) throws(ProblemDetails) {
        if bytes > small { try look(for: bytes, for: object) }
    }

    /// Makes sure that there is so much, of which a part will be taken.
    /// - Parameter object: what is stored and needs it.
    static func look(for bytes: Int, taking taken: Int = 0, for object: StoredObject? = nil) throws(ProblemDetails) {
        guard let current else {
            guard bytes <= small else { throw .missing(bytes, object) }
            return
        }
        let missing = current.left.withLock { left in
            guard bytes <= left else { return bytes - left }
            left -= taken
            return 0
        }
        guard missing == 0 else { throw .missing(missing, object) }
    }

    /// What a request is told that needs more, or a worker, to be read.
    static func missing(_ bytes: Int) -> ProblemDetails { .missing(bytes, nil) }
}

extension ProblemDetails {
    fileprivate static func missing(_ bytes: Int, _ object: StoredObject?) -> ProblemDetails {
        var problem = ProblemDetails(
            status: .unprocessableContent, type: .overLimit, title: "The request needs more memory than one request may take",
            detail: "about \(bytes) bytes are needed for what its arrays become")
        problem.missingBytes = bytes
        problem.storedObject = object
        return problem
    }
}
