/// Requests that wait to be computed together, as a value: the clock is the caller's.
///
/// Only requests of equal keys share a batch. Keys are served in turn, so that a busy one does not starve the others; within a key first
/// come, first served. A batch is closed when it is taken, and never opened again.
@usableFromInline
package struct BatchQueue<Key: Hashable & Sendable, Item: Sendable>: Sendable {
    package typealias Instant = ContinuousClock.Instant

    @usableFromInline
    package struct Entry: Sendable {
        package var id: UInt64
        package var item: Item
        package var weight: Int
        package var bytes: Int
        package var arrival: Instant

        package init(id: UInt64, item: Item, weight: Int, bytes: Int, arrival: Instant) {
            (self.id, self.item, self.weight, self.bytes, self.arrival) = (id, item, weight, bytes, arrival)
        }
    }

    package struct Batch: Sendable {
        package var key: Key
        package var entries: [Entry]
        package var weight: Int { entries.reduce(0) { $0 + $1.weight } }
    }

    package let limits: BatchLimits
    @usableFromInline
    var entries: [Key: [Entry]] = [:]
    /// Keys that have entries, the next to be served first.
    private var turns: [Key] = []
    @usableFromInline
    package private(set) var count = 0
    package private(set) var bytes = 0
    package private(set) var weight = 0

    package init(limits: BatchLimits) { self.limits = limits }

    @inlinable
    package func isEmpty(_ key: Key) -> Bool { entries[key] == nil }

    package func hasRoom(bytes more: Int) -> (items: Bool, bytes: Bool) {
        // What is alone may be larger than the bound: its memory is accounted for elsewhere.
        (count < limits.queueItems, count == 0 || more <= limits.queueBytes - bytes)
    }

    package mutating func add(_ entry: Entry, key: Key) {
        if entries[key] == nil { turns.append(key) }
        entries[key, default: []].append(entry)
        count(entry, 1)
    }

    /// Takes out a cancelled request.
    package mutating func remove(_ id: UInt64, key: Key) -> Entry? {
        guard let index = entries[key]?.firstIndex(where: { $0.id == id }), let entry = entries[key]?.remove(at: index) else { return nil }
        count(entry, -1)
        if entries[key]?.isEmpty == true { drop(key) }
        return entry
    }

    /// The next batch, if one may start: that of the key whose turn it is.
    /// - Parameters:
    ///   - isIdle: whether nothing else computes, so that a delay gains nothing.
    ///   - mayStart: whether there is room for another batch of a key.
    package mutating func next(now: Instant, isIdle: Bool, mayStart: (Key) -> Bool) -> Batch? {
        guard let index = turns.firstIndex(where: { mayStart($0) && (isIdle || isDue($0, now)) }) else { return nil }
        let key = turns.remove(at: index)
        let all = entries[key] ?? []
        var taken = 0
        var sum = 0
        while taken < all.count, taken == 0 || all[taken].weight <= limits.batchWeight - sum {
            sum += all[taken].weight
            taken += 1
        }
        for entry in all[..<taken] { count(entry, -1) }
        entries[key] = taken < all.count ? Array(all[taken...]) : nil
        // Behind the others.
        if taken < all.count { turns.append(key) }
        return Batch(key: key, entries: Array(all[..<taken]))
    }

    /// When the next batch is due by its delay, of those that may start.
    package func nextDue(mayStart: (Key) -> Bool) -> Instant? {
        turns.filter(mayStart).compactMap { entries[$0]?.first?.arrival }.min().map { $0 + limits.delay }
    }

    private func isDue(_ key: Key, _ now: Instant) -> Bool {
        guard let waiting = entries[key], let oldest = waiting.first else { return false }
        return now - oldest.arrival >= limits.delay || waiting.reduce(0, { $0 + $1.weight }) >= limits.batchWeight
    }

    private mutating func count(_ entry: Entry, _ sign: Int) {
        count += sign
        bytes += sign * entry.bytes
        weight += sign * entry.weight
    }

    private mutating func drop(_ key: Key) {
        entries[key] = nil
        turns.removeAll { $0 == key }
    }
}
