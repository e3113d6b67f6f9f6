internal import Locks

extension MemoryBudget {
    /// Bytes that belong to a request until this is gone.
    package final class Lease: Sendable {
        private let budget: MemoryBudget
        let part: Part
        /// Less than that of every later request.
        let id: UInt64
        /// Bytes of its part, and of that of bodies where that is another.
        private let held: Lock<(own: Int, grown: Int)>
        private let start = ContinuousClock.now

        init(_ budget: MemoryBudget, _ id: UInt64, _ bytes: Int, _ part: Part) {
            self.budget = budget
            self.id = id
            self.part = part
            held = Lock((bytes, 0))
        }

        package var bytes: Int { held.withLock { $0.own + $0.grown } }

        /// Bytes that bodies of requests have less.
        var bodyBytes: Int { held.withLock { part == .bodies ? $0.own + $0.grown : $0.grown } }

        /// Bytes of bodies that are counted as used.
        func add(_ bytes: Int) { held.withLock { $0.grown += bytes } }

        /// Takes over what another has, which is of the part for bodies.
        func absorb(_ other: Lease) {
            let bytes = other.held.withLock { held in
                defer { held = (0, 0) }
                return held.own + held.grown
            }
            add(bytes)
        }

        /// Gives back all but as many bytes.
        package func shrink(to bytes: Int) {
            let (own, grown) = held.withLock { held in
                let surplus = max(0, held.own + held.grown - bytes)
                let grown = min(surplus, held.grown)
                let own = min(surplus - grown, held.own)
                held = (held.own - own, held.grown - grown)
                return (own, grown)
            }
            give(own, grown)
            let bytes = bodyBytes
            // A small one that has not grown claims nothing.
            guard bytes > 0 else { return budget.dropClaim(id) }
            budget.changeClaim(id) { claim in
                claim.held = bytes
                claim.need = min(claim.need, MemoryBudget.need(bytes + claim.growth))
            }
        }

        private func give(_ own: Int, _ grown: Int) {
            let duration = ContinuousClock.now - start
            if own > 0 { budget.release(own, part, after: duration) }
            if grown > 0 { budget.release(grown, .bodies, after: duration) }
        }

        deinit {
            let (own, grown) = held.withLock { $0 }
            if part == .bodies || grown > 0 { budget.dropClaim(id) }
            give(own, grown)
        }
    }
}
