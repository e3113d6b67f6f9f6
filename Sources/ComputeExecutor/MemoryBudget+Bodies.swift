/// Memory for bodies of requests, which is reserved before they are read.
extension MemoryBudget {
    /// Bytes up to which a body takes from the part for small reservations, while half of that is left for computations.
    private static var smallBody: Int { 64 * 1024 }
    /// Bytes that it may take to read and compute one of a body: numbers of one digit are two of text, and sixteen when they are read.
    private static var needPerByte: Int { 8 }

    /// Bytes for a body if they are there without a wait.
    /// - Parameter growth: bytes beside them that it may become when it is inflated.
    package func reserveBodyNow(_ bytes: Int, growth: Int = 0) -> Lease? {
        if bytes <= min(Self.smallBody, small.each), let lease = take(bytes, .small, leaving: small.total / 2) { return lease }
        return take(bytes, .bodies, claim: Self.claim(bytes, growth))
    }

    /// Bytes for a body as soon as they are there.
    /// - Throws: `Exhausted`, at once or when it has waited too long; `CancellationError`.
    package func reserveBody(_ bytes: Int, growth: Int = 0) async throws -> Lease {
        if let lease = reserveBodyNow(bytes, growth: growth) { return lease }
        return try await wait(bytes, .bodies, claim: Self.claim(bytes, growth))
    }

    private static func claim(_ bytes: Int, _ growth: Int) -> BodyClaims.Claim {
        let (whole, overflow) = bytes.addingReportingOverflow(growth)
        return BodyClaims.Claim(held: bytes, growth: growth, need: need(overflow ? .max : whole))
    }

    /// What a body is likely to take to be read and computed.
    static func need(_ bytes: Int) -> Int { min(bytes, 1 << 50) * needPerByte }

    /// More bytes for a body that has some, if they are there.
    package func growNow(_ body: Lease, by bytes: Int) -> Bool {
        guard let more = take(bytes, .bodies, growing: body) else { return false }
        grown(body, more)
        return true
    }

    /// More bytes for a body that has some and turns out to be longer, before others that have none.
    /// - Throws: `Exhausted`, at once or when it has waited too long; `CancellationError`.
    package func grow(_ body: Lease, by bytes: Int) async throws {
        if growNow(body, by: bytes) { return }
        grown(body, try await wait(bytes, .bodies, for: body, isGrowth: true))
    }

    private func grown(_ body: Lease, _ more: Lease) {
        let bytes = more.bytes
        body.absorb(more)
        changeClaim(body.id, else: Self.claim(0, 0)) { claim in
            claim.held += bytes
            claim.growth = max(0, claim.growth - bytes)
            claim.need = Self.need(claim.held + claim.growth)
        }
    }

    /// A body is as long as it will be.
    package func endGrowth(_ body: Lease) {
        changeClaim(body.id) { claim in
            claim.growth = 0
            claim.need = Self.need(claim.held)
        }
    }
}
