internal import Dispatch
internal import Locks

/// Writes lines to a file, in order, on a queue of its own: logging never waits for a slow reader. Lines that come close together go out
/// by one call, as to wake a thread for each would cost more than most requests. What does not fit is dropped, and how much that was is said
/// as soon as there is room.
package final class LogWriter: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var isWriting = false
        var dropped = 0
    }

    /// How long a line may wait for others.
    private static let delay = DispatchTimeInterval.milliseconds(20)

    /// Bytes that may wait.
    private let capacity: Int
    private let file: OutputFile
    private let queue = DispatchQueue(label: "log")
    private let state = Lock(State())

    package init(fileDescriptor: Int32 = 2, capacity: Int = 4 << 20) {
        file = OutputFile(descriptor: fileDescriptor)
        self.capacity = capacity
    }

    /// - Parameter line: without its end.
    func write(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.pending.count + line.count < capacity else {
                state.dropped += 1
                return false
            }
            state.pending.append(contentsOf: line)
            state.pending.append(UInt8(ascii: "\n"))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.asyncAfter(deadline: .now() + Self.delay) { @Sendable in self.drain() } }
    }

    /// Returns when all that was logged before is written.
    package func flush() { queue.sync { drain() } }

    private func drain() {
        while true {
            let (bytes, dropped) = state.withLock { state in
                let taken = (state.pending, state.dropped)
                state.pending = []
                state.dropped = 0
                state.isWriting = !taken.0.isEmpty || taken.1 > 0
                return taken
            }
            guard !bytes.isEmpty || dropped > 0 else { return }
            let note = dropped > 0 ? "{\"level\":\"warning\",\"message\":\"log lines were dropped\",\"count\":\(dropped)}\n" : ""
            file.write(bytes + note.utf8)
        }
    }
}
