internal import Locks

/// A cache of values within a number of bytes: the value that was not asked for the longest goes first.
package final class LeastRecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value
        var bytes: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0

        mutating func remove(_ key: Key) {
            if let entry = entries.removeValue(forKey: key) { bytes -= entry.bytes }
        }
    }

    /// Bytes that all values together may take.
    package let capacity: Int
    private let state = Lock(State())

    package init(capacity: Int) { self.capacity = capacity }

    package subscript(_ key: Key) -> Value? {
        state.withLock { state in
            guard var entry = state.entries[key] else { return nil }
            state.clock += 1
            entry.lastUse = state.clock
            state.entries[key] = entry
            return entry.value
        }
    }

    /// Keeps a value of `bytes`; one larger than the cache is not kept.
    package func insert(_ value: Value, bytes: Int, for key: Key) {
        state.withLock { state in
            state.remove(key)
            guard bytes <= capacity else { return }
            while state.bytes + bytes > capacity, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.remove(oldest.key)
            }
            state.clock += 1
            state.entries[key] = Entry(value: value, bytes: bytes, lastUse: state.clock)
            state.bytes += bytes
        }
    }

    package func remove(_ key: Key) { state.withLock { $0.remove(key) } }

    /// Removes the values of all keys for which something holds.
    package func removeAll(where holds: (Key) -> Bool) {
        state.withLock { state in for key in state.entries.keys.filter(holds) { state.remove(key) } }
    }

    /// The value of a key, made and kept where it is missing. Two callers at the same time may both make it.
    package func value<Failure: Error>(for key: Key, _ make: () throws(Failure) -> (value: Value, bytes: Int)?) throws(Failure) -> Value? {
        if let value = self[key] { return value }
        guard let (value, bytes) = try make() else { return nil }
        insert(value, bytes: bytes, for: key)
        return value
    }
}
