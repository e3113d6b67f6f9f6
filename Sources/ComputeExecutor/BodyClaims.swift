/// What the bodies of requests that have come, or come, will yet need before their requests are computed: so much is left to them that each
/// can have it in the end, whatever the others hold.
///
/// Bodies hold memory while they wait for more, to be inflated and to be read. Were all memory theirs, all would wait for each other. So a new
/// one comes in only where the one that will need the most would find that beside what all of them hold: then one can go on to its end, whichever
/// comes first, and gives back what the next needs (the banker's algorithm, Dijkstra 1965, for orders of all kinds at once). One that needs
/// more than was claimed, and waits for others which wait for it, is refused if it is the youngest of them.
struct BodyClaims {
    struct Claim {
        var held: Int
        /// Bytes that it becomes when it is inflated; 0 for one that is what it is.
        var growth: Int
        /// Bytes that it takes to be read and computed.
        var need: Int
    }

    /// No claim is more than so many of sixteen parts of what there is, and with what it holds not more than so many: a body that comes slowly
    /// leaves the rest to others, and a large one can come in beside a small one.
    private static let (mostAlone, mostWithHeld, parts) = (12, 15, 16)

    private var claims: [UInt64: Claim] = [:]

    mutating func set(_ claim: Claim?, of id: UInt64) { claims[id] = claim }

    mutating func insert(_ claim: Claim?, of id: UInt64) {
        if let claim, claims[id] == nil { claims[id] = claim }
    }

    /// Changes a claim that there is.
    mutating func change(_ id: UInt64, _ change: (inout Claim) -> Void) {
        guard var claim = claims[id] else { return }
        change(&claim)
        claims[id] = claim
    }

    /// Whether a body that is to be inflated can be, beside the others of its kind.
    func canBeInflated(_ new: Claim, within total: Int) -> Bool {
        guard new.growth > 0 else { return true }
        let others = claims.values.filter { $0.growth > 0 }
        return others.isEmpty || Self.fits(others + [new], total, \.growth)
    }

    /// Whether a body can be read, beside all others.
    func canBeRead(_ new: Claim, within total: Int) -> Bool {
        claims.isEmpty || Self.fits(Array(claims.values) + [new], total) { $0.growth.addingReportingOverflow($0.need).partialValue }
    }

    private static func fits(_ claims: [Claim], _ total: Int, _ more: (Claim) -> Int) -> Bool {
        let part = total / parts
        let most = claims.reduce(0) { max($0, min(more($1), mostAlone * part, mostWithHeld * part - $1.held)) }
        return claims.reduce(most) { $0 + $1.held } <= total
    }
}
