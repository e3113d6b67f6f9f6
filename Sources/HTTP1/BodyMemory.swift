/// The memory that bodies of requests may take together, seen from the connections: one reserves before it reads.
package protocol BodyMemory: Sendable {
    typealias Lease = any BodyLease

    /// The largest body that can ever have memory.
    var largest: Int { get }

    /// Bytes if they are there without a wait.
    /// - Parameter growth: octets beside them that the body may become once its coding is undone.
    func reserveNow(_ bytes: Int, growth: Int) -> Lease?

    /// Bytes as soon as they are there; nil if the task was cancelled.
    /// - Throws: 503, at once or when it has waited too long.
    func reserve(_ bytes: Int, growth: Int) async throws(HTTPRejection) -> Lease?
}

/// The memory of one body, which is given back when this is gone.
package protocol BodyLease: AnyObject, Sendable {
    var bytes: Int { get }

    /// More bytes if they are there without a wait.
    func growNow(by bytes: Int) -> Bool

    /// More bytes as soon as they are there; false if the task was cancelled.
    /// - Throws: 503, at once or when it has waited too long.
    func grow(by bytes: Int) async throws(HTTPRejection) -> Bool

    /// Gives back all but as many bytes.
    func shrink(to bytes: Int)

    /// It is as long as it will be.
    func endGrowth()
}
