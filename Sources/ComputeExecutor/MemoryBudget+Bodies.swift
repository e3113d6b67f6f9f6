/// Memory for bodies of requests, which is reserved before they are read.
extension MemoryBudget {
    /// Bytes up to which a body takes from the part for small reservations, while half of that is left for computations.
    private static var smallBody: Int { 64 * 1024 }

    /// Bytes for a body if they are there without a wait.
    package func reserveBodyNow(_ bytes: Int) -> Lease? {
        if bytes <= min(Self.smallBody, small.each), let lease = take(bytes, .small, leaving: small.total / 2) { return lease }
        return take(bytes, .bodies)
    }

    /// Bytes for a body as soon as they are there.
    /// - Parameter isGrowth: for a body that has memory and turns out to be longer.
    /// - Throws: `Exhausted`, at once or when it has waited too long; `CancellationError`.
    package func reserveBody(_ bytes: Int, isGrowth: Bool) async throws -> Lease {
        if let lease = reserveBodyNow(bytes) { return lease }
        return try await wait(bytes, .bodies, isGrowth: isGrowth)
    }
}
