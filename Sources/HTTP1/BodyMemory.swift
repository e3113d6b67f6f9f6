/// The memory that bodies of requests may take together, seen from the connections: one reserves before it reads.
package protocol BodyMemory: Sendable {
    /// What gives its bytes back when it is gone.
    typealias Lease = any AnyObject & Sendable

    /// The largest body that can ever have memory.
    var largest: Int { get }

    /// Bytes if they are there without a wait.
    func reserveNow(_ bytes: Int) -> Lease?

    /// Bytes as soon as they are there; nil if the task was cancelled.
    /// - Parameter isGrowth: for a body that has memory and turns out to be longer.
    /// - Throws: 503, at once or when it has waited too long.
    func reserve(_ bytes: Int, isGrowth: Bool) async throws(HTTPRejection) -> Lease?
}
