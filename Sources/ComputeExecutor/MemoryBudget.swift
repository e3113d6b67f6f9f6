internal import LinearAlgebra
internal import Locks

/// The memory that all requests together may take: what does not fit now waits in order, in bounded number and time.
///
/// Freed blocks that are kept to be used again (`RecycledBlocks`) take of what is left, and are given back when it is asked for.
///
/// Small reservations have a part of their own, so that they neither wait for large ones nor keep them waiting forever. Of the rest, bodies
/// of requests may take half: those that have come must find memory to be computed with.
package final class MemoryBudget: Sendable {
    /// Bytes in all.
    package let total: Int
    /// Bytes of the part for small reservations, and how many one of those may have.
    let small: (total: Int, each: Int)
    /// Bytes of freed blocks that may be kept.
    private let recycled: Int
    private let mostWaiting: Int
    private let patience: Duration
    private let state = Lock(State())

    private struct State {
        /// By `Part`.
        var parts = Part.allCases.map { _ in BudgetPart() }
        var claims = BodyClaims()
        var rejections = 0
        var nextID: UInt64 = 0
        /// Seconds for which a reservation is held, a running mean.
        var holding = 1.0

        var used: Int { parts.reduce(0) { $0 + $1.used } }
        var waiting: Int { parts.reduce(0) { $0 + $1.waiting.count } }
        var waitingBytes: Int { parts.reduce(0) { $0 + $1.waitingBytes } }

        mutating func newID() -> UInt64 {
            nextID += 1
            return nextID
        }
    }

    /// What a reservation counts as.
    enum Part: Int, CaseIterable {
        case small, computations, bodies
    }

    /// What a budget is used for now.
    package struct Usage: Sendable, Equatable {
        package var total: Int
        package var used: Int
        package var waiting: Int
        package var waitingBytes: Int
        /// Reservations that were refused since the start.
        package var rejections: Int

        /// Whether something waits for memory.
        package var isOver: Bool { waiting > 0 }
    }

    /// There is no memory for a request now, and enough others wait for some.
    package struct Exhausted: Error, Sendable, Equatable {
        /// When to come again.
        package var retryAfterSeconds: Int
        /// Whether it was refused for those that would have waited for it and it for them: they go on.
        package var endsDeadlock = false

        package init(retryAfterSeconds: Int) { self.retryAfterSeconds = retryAfterSeconds }
    }

    /// - Parameters:
    ///   - waiting: reservations of each part that may wait.
    ///   - patience: how long one may wait.
    ///   - recycled: bytes of freed blocks that may be kept while they are not needed. They are those of the process, and one budget's.
    package init(bytes: Int, waiting: Int = 256, patience: Duration = .seconds(30), recycled: Int = 0) {
        precondition(bytes > 0, "a budget has at least one byte")
        total = bytes
        small = (bytes / 16, bytes / 256)
        mostWaiting = waiting
        self.patience = patience
        self.recycled = min(recycled, bytes)
        if recycled > 0 { RecycledBlocks.keep(upTo: self.recycled) }
    }

    /// Takes from the system what it can refuse: the addresses of all large blocks that reservations can stand for.
    /// - Returns: whether the system, and the limits of the process, allow as many.
    package func holdAddresses() -> Bool { RecycledBlocks.hold(total) }

    /// The largest reservation that can ever be had.
    package var largest: Int { total - small.total }

    /// The most that bodies of requests, without small ones, may take together.
    package var largestBody: Int { largest / 2 }

    package var usage: Usage {
        state.withLock { state in
            Usage(total: total, used: state.used, waiting: state.waiting, waitingBytes: state.waitingBytes, rejections: state.rejections)
        }
    }

    /// Bytes if they are there without a wait.
    package func reserveNow(_ bytes: Int) -> Lease? { take(bytes, part(bytes)) }

    /// More bytes for a request that has some, if they are there: requests that wait for memory have none, and wait on.
    package func growNow(_ bytes: Int) -> Lease? {
        bytes < Self.largeBytes || RecycledBlocks.areThere(bytes) ? take(bytes, .computations, overtakes: true) : nil
    }

    /// From this size on the system is asked whether it would give them.
    private static let largeBytes = 64 << 20

    /// Bytes as soon as they are there.
    /// - Parameters:
    ///   - body: of the request that it is for.
    ///   - isAll: whether with this it has all that it needs; else it gives this back before it asks for that.
    ///   - followers: the requests that wait for what this is for.
    /// - Throws: `Exhausted`, at once or when it has waited too long; `CancellationError`.
    package func reserve(_ bytes: Int, for body: Lease? = nil, isAll: Bool = true, followers: Followers? = nil) async throws -> Lease {
        let part = part(bytes)
        if let body { changeClaim(body.id) { $0.need = isAll ? bytes : max($0.need, bytes) } }
        let lease = if let lease = take(bytes, part) { lease } else { try await wait(bytes, part, for: body, followers: followers) }
        // The system may refuse what the budget has, and an allocation cannot report that.
        guard bytes < Self.largeBytes || RecycledBlocks.areThere(bytes) else { throw exhausted(bytes) }
        if let body { if isAll { dropClaim(body.id) } else { endGrowth(body) } }
        return lease
    }

    private func part(_ bytes: Int) -> Part { bytes <= small.each ? .small : .computations }

    // MARK: Taking and waiting

    /// - Parameters:
    ///   - overtakes: for a request that has some and does not wait.
    ///   - body: which has some, and goes before those that have none.
    func take(
        _ bytes: Int, _ part: Part, leaving rest: Int = 0, overtakes: Bool = false, claim: BodyClaims.Claim? = nil, growing body: Lease? = nil
    ) -> Lease? {
        let id = state.withLock { state -> UInt64? in
            guard overtakes || !isAwaited(part, by: body, state), gate(claim, state) == .isOpen, bytes <= room(part, state) - rest else { return nil }
            let id = state.newID()
            state.parts[part.rawValue].used += bytes
            if let claim { state.claims.set(claim, of: id) }
            limitRecycled(state)
            return id
        }
        return id.map { lease($0, bytes, part) }
    }

    /// Whether a request that goes first waits for a part.
    private func isAwaited(_ part: Part, by body: Lease?, _ state: State) -> Bool {
        state.parts[part.rawValue].waiting.contains { waiter in
            if let body { return waiter.isGrowth && waiter.body.map { $0.age < body.id } ?? false }
            return gate(waiter.claim, state) != .isPassed
        }
    }

    /// Whether a new body may come in beside the others.
    private func gate(_ claim: BodyClaims.Claim?, _ state: State) -> BudgetPart.Gate {
        guard let claim else { return .isOpen }
        // Only for those that are inflated: others go on.
        guard state.claims.canBeInflated(claim, within: largestBody) else { return .isPassed }
        return state.claims.canBeRead(claim, within: largest) ? .isOpen : .isClosed
    }

    /// - Parameter new: what is changed where there is none.
    func changeClaim(_ id: UInt64, else new: BodyClaims.Claim? = nil, _ change: (inout BodyClaims.Claim) -> Void) {
        let isAwaited = state.withLock { state in
            state.claims.insert(new, of: id)
            state.claims.change(id, change)
            return state.waiting > 0
        }
        if isAwaited { grant() }
    }

    func dropClaim(_ id: UInt64) {
        let isAwaited = state.withLock { state in
            state.claims.set(nil, of: id)
            return state.waiting > 0
        }
        if isAwaited { grant() }
    }

    /// Of bytes that are counted as used: they are handed out after the freed blocks in their place are gone.
    private func lease(_ id: UInt64, _ bytes: Int, _ part: Part) -> Lease {
        if recycled > 0 { RecycledBlocks.trim() }
        return Lease(self, id, bytes, part)
    }

    /// Freed blocks may take what is left. Under the lock, so that the last word is about the last state.
    private func limitRecycled(_ state: State) {
        if recycled > 0 { RecycledBlocks.limit(to: min(recycled, total - state.used)) }
    }

    /// Bytes that a part has left.
    private func room(_ part: Part, _ state: State) -> Int {
        if part == .small { return small.total - state.parts[Part.small.rawValue].used }
        let bodies = state.parts[Part.bodies.rawValue].used
        let both = largest - state.parts[Part.computations.rawValue].used - bodies
        return part == .bodies ? min(largestBody - bodies, both) : both
    }

    /// - Parameters:
    ///   - body: of the request that waits, which holds it meanwhile.
    ///   - followers: the requests that wait for what this is for, and hold bodies, too.
    ///   - isGrowth: for more of the same part.
    ///   - claim: of a body that is new.
    func wait(
        _ bytes: Int, _ part: Part, for body: Lease? = nil, followers: Followers? = nil, isGrowth: Bool = false,
        claim: BodyClaims.Claim? = nil
    ) async throws -> Lease {
        guard bytes <= (part == .bodies ? largestBody : largest) else { throw exhausted(bytes) }
        let id = state.withLock { $0.newID() }
        let timer = Lock<Task<Void, any Error>?>(nil)
        defer { timer.withLock { $0 }?.cancel() }
        return try await withCancellableContinuation { continuation in
            enqueue(
                BudgetPart.Waiter(
                    id: id, bytes: bytes, body: body.map { ($0.id, $0.bodyBytes) }, followers: followers, isGrowth: isGrowth, claim: claim,
                    continuation: continuation),
                part)
            // Not before it waits, so that it finds it.
            let task = Task { [self] in
                try await Task.sleep(for: patience)
                end(id, part) { exhausted(bytes) }
            }
            timer.withLock { $0 = task }
        } onCancel: {
            end(id, part) { CancellationError() }
        }
    }

    private func enqueue(_ waiter: BudgetPart.Waiter, _ part: Part) {
        let isFull = state.withLock { state in
            guard state.parts[part.rawValue].waiting.count < mostWaiting else { return true }
            state.parts[part.rawValue].append(waiter)
            return false
        }
        if isFull { return waiter.continuation.resume(throwing: exhausted(waiter.bytes)) }
        // Cancelled before it came to wait.
        if Task.isCancelled { end(waiter.id, part) { CancellationError() } }
        grant()
    }

    private func end(_ id: UInt64, _ part: Part, with error: () -> any Error) {
        guard let continuation = state.withLock({ $0.parts[part.rawValue].remove(id) }) else { return }
        continuation.resume(throwing: error())
        // Those behind it may fit.
        grant()
    }

    func release(_ bytes: Int, _ part: Part, after duration: Duration) {
        let isAwaited = state.withLock { state in
            state.parts[part.rawValue].used -= bytes
            limitRecycled(state)
            state.holding = 0.9 * state.holding + 0.1 * (duration / .seconds(1))
            return state.waiting > 0
        }
        if isAwaited { grant() }
    }

    /// Gives waiting requests what there is, in order, and refuses a request that could only wait for others that wait for it.
    func grant() {
        for part in Part.allCases {
            while let next = granted(part) { next.continuation.resume(returning: lease(next.id, next.bytes, part)) }
        }
        while let refused = deadlocked() {
            var exhausted = exhausted(refused.bytes)
            exhausted.endsDeadlock = true
            refused.continuation.resume(throwing: exhausted)
        }
    }

    private func granted(_ part: Part) -> BudgetPart.Waiter? {
        state.withLock { state in
            defer { limitRecycled(state) }
            let before = state
            guard let next = state.parts[part.rawValue].grant(from: room(part, before), { gate($0.claim, before) }) else { return nil }
            if let claim = next.claim { state.claims.set(claim, of: next.id) }
            return next
        }
    }

    private func deadlocked() -> BudgetPart.Waiter? {
        state.withLock { state in
            let bodies = Part.bodies.rawValue
            if let refused = state.parts[bodies].breakDeadlock(total: largestBody) { return refused }
            let held = state.parts[bodies].waiting.reduce(0) { $0 + ($1.body?.held ?? 0) }
            return state.parts[Part.computations.rawValue].breakDeadlock(total: largest, others: held)
        }
    }

    /// As long as what is before it is likely to hold its memory.
    private func exhausted(_ bytes: Int) -> Exhausted {
        state.withLock { state in
            state.rejections += 1
            let before = Double(state.waitingBytes) + Double(state.used) + Double(min(bytes, total))
            return Exhausted(retryAfterSeconds: Int(min(max((state.holding * before / Double(total)).rounded(.up), 1), 60)))
        }
    }
}
