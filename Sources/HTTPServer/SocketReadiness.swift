import Dispatch

/// Tells when a socket can be read or written, as waits of the one task that serves it. Belongs to the connection's actor, and so to its loop.
final class SocketReadiness {
    enum Wake {
        case ready
        case timedOut
        /// Somebody called `interrupt`.
        case interrupted
    }

    private enum Direction {
        case reading
        case writing
    }

    private let socket: Int32
    private let queue: DispatchQueue
    private let reads: any DispatchSourceRead
    private let onWritable: @Sendable () -> Void
    /// Made when the socket first takes no more; always suspended but during a wait.
    private var writes: (any DispatchSourceWrite)?
    private var areReadsSuspended = false
    private var isCancelled = false

    private var waiter: CheckedContinuation<Wake, Never>?
    private var direction = Direction.reading
    private var deadline: ContinuousClock.Instant?

    /// - Parameters:
    ///   - onReadable: Called on the queue; should call `becameReadable`.
    ///   - onWritable: Called on the queue; should call `becameWritable`.
    init(socket: Int32, queue: DispatchQueue, onReadable: @escaping @Sendable () -> Void, onWritable: @escaping @Sendable () -> Void) {
        self.socket = socket
        self.queue = queue
        self.onWritable = onWritable
        reads = DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
        reads.setEventHandler(handler: onReadable)
        reads.activate()
    }

    func readable(until deadline: ContinuousClock.Instant) async -> Wake {
        if areReadsSuspended {
            areReadsSuspended = false
            reads.resume()
        }
        return await wait(.reading, until: deadline)
    }

    func writable(until deadline: ContinuousClock.Instant) async -> Wake {
        if writes == nil {
            let source = DispatchSource.makeWriteSource(fileDescriptor: socket, queue: queue)
            source.setEventHandler(handler: onWritable)
            writes = source
        }
        writes?.resume()
        return await wait(.writing, until: deadline)
    }

    private func wait(_ direction: Direction, until deadline: ContinuousClock.Instant) async -> Wake {
        self.direction = direction
        self.deadline = deadline
        return await withCheckedContinuation { waiter = $0 }
    }

    /// False if nobody waits to read: then the caller must read, or suspend reading, or be called again and again.
    func becameReadable() -> Bool {
        guard waiter != nil, direction == .reading else { return false }
        wake(.ready)
        return true
    }

    func becameWritable() {
        guard waiter != nil, direction == .writing else { return }
        wake(.ready)
    }

    /// Stops the events until the next wait to read.
    func suspendReading() {
        guard !areReadsSuspended, !isCancelled else { return }
        areReadsSuspended = true
        reads.suspend()
    }

    /// Ends the current wait, if there is one and its time is over.
    func expire(_ now: ContinuousClock.Instant) {
        guard waiter != nil, let deadline, deadline <= now else { return }
        wake(.timedOut)
    }

    /// Ends the current wait, if there is one.
    func interrupt() {
        wake(.interrupted)
    }

    private func wake(_ reason: Wake) {
        guard let waiter else { return }
        self.waiter = nil
        deadline = nil
        if direction == .writing { writes?.suspend() }
        waiter.resume(returning: reason)
    }

    /// Ends all events. `onCancelled` runs on the queue when the descriptor is no longer watched and may be closed. No wait may be under way.
    func cancel(onCancelled: @escaping @Sendable () -> Void) {
        guard !isCancelled else { return }
        isCancelled = true
        // A source that is released while suspended brings the process down.
        if areReadsSuspended { reads.resume() }
        areReadsSuspended = false
        let group = DispatchGroup()
        group.enter()
        reads.setCancelHandler { @Sendable in group.leave() }
        reads.cancel()
        if let writes {
            group.enter()
            writes.setCancelHandler { @Sendable in group.leave() }
            writes.resume()
            writes.cancel()
        }
        writes = nil
        group.notify(queue: queue) { @Sendable in onCancelled() }
    }
}
