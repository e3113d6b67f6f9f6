/// Collects a body, or counts it and lets it go, up to a limit.
struct BodyBuffer: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0
    let maximum: Int
    /// Octets that may come before more room must be given.
    private(set) var room: Int
    private let keeps: Bool
    private let padding: Int
    private let unseen: Int

    init(maximum: Int, keeps: Bool, room: Int = .max, limits: HTTPLimits) {
        self.maximum = maximum
        self.keeps = keeps
        self.room = room
        padding = limits.bodyPaddingOctets
        unseen = limits.bodyOctetsReservedUnseen
    }

    mutating func give(room more: Int) { room += more }

    /// Makes room on the word of a Content-Length: for what there is room for, or else for no more than `unseen` octets that have yet to come.
    mutating func reserve(_ length: Int) {
        guard keeps, bytes.capacity == 0 else { return }
        bytes.reserveCapacity(min(length, room == .max ? unseen : max(room, unseen)) + padding)
    }

    /// Room for `more` octets within `maximum`, or nil if they are too many.
    func fits(_ more: Int) -> Bool { more <= maximum - count }

    /// - Parameter expected: Octets that the framing still promises, these included; they bound the growth.
    mutating func append(_ octets: Span<UInt8>, expected: Int) {
        count += octets.count
        room -= octets.count
        guard keeps else { return }
        let needed = bytes.count + octets.count + padding
        if bytes.capacity < needed {
            // Never more room than the body can fill, nor than sixteen times what has come: what is not written to takes no memory.
            let whole = bytes.count + max(expected, octets.count) + padding
            bytes.reserveCapacity(max(needed, min(whole, bytes.count * 16)))
        }
        unsafe octets.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    /// The body, with spare capacity behind it.
    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
