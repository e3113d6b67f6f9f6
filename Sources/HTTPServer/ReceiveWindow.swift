/// Received octets that the parser has not taken yet, in the loop's buffer while they are worked on, in a copy when they have to wait.
struct ReceiveWindow {
    private(set) var octets: [UInt8] = []
    /// What the parser has taken.
    var start = 0
    private(set) var end = 0
    private var isLent = false
    /// Whether the last receive filled the buffer, so that there is likely more at hand.
    private(set) var wasFull = false

    var isEmpty: Bool { start == end }

    /// Receives once. Must be empty.
    mutating func receive(_ transport: Transport, _ loop: EventLoop) -> Syscalls.Received {
        if !isLent { octets = loop.takeBuffer() }
        isLent = true
        let received = transport.receive(into: &octets)
        start = 0
        end = 0
        if case .octets(let count) = received { end = count }
        wasFull = end == octets.count
        return received
    }

    /// Gives the loop its buffer back. To be called before every suspension.
    mutating func release(to loop: EventLoop) {
        guard isLent else {
            if isEmpty { octets = [] }
            return
        }
        let rest = isEmpty ? [] : Array(octets[start..<end])
        var lent: [UInt8] = []
        swap(&lent, &octets)
        loop.giveBack(lent)
        isLent = false
        octets = rest
        start = 0
        end = rest.count
    }

    /// Drops everything.
    mutating func clear(_ loop: EventLoop) {
        start = end
        release(to: loop)
    }
}
