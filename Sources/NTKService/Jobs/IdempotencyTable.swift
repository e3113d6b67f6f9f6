internal import ArtifactStore
internal import HTTP1
internal import HTTPTypes
internal import Locks

/// The answers to requests with an `Idempotency-Key`, for a time and up to a number and a size. A large answer is not kept: the same request
/// is computed again, to the same bits.
final class IdempotencyTable: Sendable {
    enum Finding {
        /// Not seen before: `end` must follow.
        case new
        case inProgress
        case other
        /// Answered, and kept.
        case answer(ServerResponse)
        /// Answered, and to be computed again.
        case again
    }

    private struct Entry {
        var fingerprint: String
        var accept: String
        var isRunning = true
        var answer: ServerResponse?
        var bytes = 0
        var since: ContinuousClock.Instant
    }

    private struct State {
        var entries: [ArtifactID: Entry] = [:]
        /// Oldest first.
        var order: [ArtifactID] = []
        var bytes = 0
    }

    private let state = Lock(State())
    private let keys: Int
    private let bytes: Int
    private let age: Duration
    /// An answer above this is not kept.
    private static let largest = 1 << 20

    init(keys: Int = 10_000, bytes: Int = 64 << 20, age: Duration = .seconds(86_400)) {
        self.keys = keys
        self.bytes = bytes
        self.age = age
    }

    func begin(_ key: IdempotencyKey, fingerprint: String, accept: String, now: ContinuousClock.Instant = .now) -> Finding {
        state.withLock { state in
            if let entry = state.entries[key.hash] {
                if entry.isRunning || entry.since + age > now {
                    if entry.fingerprint != fingerprint { return .other }
                    if entry.isRunning { return .inProgress }
                    return entry.accept == accept ? entry.answer.map { .answer($0) } ?? .again : .again
                }
                Self.remove(key.hash, &state)
            }
            while state.entries.count >= keys || state.order.first.flatMap({ state.entries[$0] }).map({ $0.since + age <= now }) == true {
                guard Self.removeOldest(&state) else { break }
            }
            state.entries[key.hash] = Entry(fingerprint: fingerprint, accept: accept, since: now)
            state.order.append(key.hash)
            return .new
        }
    }

    /// - Parameter answer: nil if there was none that a repetition should get.
    func end(_ key: IdempotencyKey, _ answer: ServerResponse?) {
        state.withLock { state in
            guard var entry = state.entries[key.hash] else { return }
            guard let answer else { return Self.remove(key.hash, &state) }
            entry.isRunning = false
            if case .bytes(let content) = answer.body, content.count <= Self.largest {
                entry.answer = answer
                entry.bytes = content.count
                state.bytes += content.count
            }
            state.entries[key.hash] = entry
            while state.bytes > bytes, Self.removeOldest(&state) {}
        }
    }

    private static func remove(_ key: ArtifactID, _ state: inout State) {
        state.bytes -= state.entries.removeValue(forKey: key)?.bytes ?? 0
        state.order.removeAll { $0 == key }
    }

    /// Removes the oldest that is not in progress.
    private static func removeOldest(_ state: inout State) -> Bool {
        guard let key = state.order.first(where: { state.entries[$0]?.isRunning == false }) else { return false }
        remove(key, &state)
        return true
    }
}
