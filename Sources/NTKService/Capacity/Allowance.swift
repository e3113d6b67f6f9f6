internal import HTTPTypes
internal import Locks

/// Memory that what was read may grow by when it is validated: lists of edges become matrices, channels change places.
///
/// How much that is stands deep within a request. Whoever reads one for which this is too little finds in the problem what is missing.
final class Allowance: Sendable {
    /// Of the request that is being read.
    @TaskLocal static var current: Allowance?
    /// Bytes that nobody asks for.
    private static let small = 1 << 20

    private let left: Lock<Int>

    init(_ bytes: Int) { left = Lock(bytes) }

    static func take(_ bytes: Int) throws(ProblemDetails) { try look(for: bytes, taking: bytes) }

    /// Makes sure that there is so much, of which a part will be taken.
    static func look(for bytes: Int, taking taken: Int = 0) throws(ProblemDetails) {
        guard let current else {
            guard bytes <= small else { throw .missing(bytes) }
            return
        }
        let missing = current.left.withLock { left in
            guard bytes <= left else { return bytes - left }
            left -= taken
            return 0
        }
        guard missing == 0 else { throw .missing(missing) }
    }
}

extension ProblemDetails {
    fileprivate static func missing(_ bytes: Int) -> ProblemDetails {
        var problem = ProblemDetails(
            status: .unprocessableContent, type: "over-limit", title: "The request needs more memory than one request may take",
            detail: "about \(bytes) bytes are needed for what its arrays become")
        problem.missingBytes = bytes
        return problem
    }
}
