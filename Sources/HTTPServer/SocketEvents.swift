import Dispatch

/// The two Dispatch sources of a socket. Belongs to the connection's actor, and so to its loop.
///
/// The read source stays on from request to request; it is suspended only when something has come that is not to be read yet. The write source is made
/// when the socket first takes no more, and is suspended whenever nobody waits.
final class SocketEvents {
    private let socket: Int32
    private let queue: DispatchQueue
    private let reads: any DispatchSourceRead
    private var writes: (any DispatchSourceWrite)?
    private var areReadsSuspended = false
    private var areWritesSuspended = true
    private let onWritable: @Sendable () -> Void

    init(socket: Int32, queue: DispatchQueue, onReadable: @escaping @Sendable () -> Void, onWritable: @escaping @Sendable () -> Void) {
        self.socket = socket
        self.queue = queue
        self.onWritable = onWritable
        reads = DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
        reads.setEventHandler(handler: onReadable)
        reads.activate()
    }

    func suspendReading() {
        guard !areReadsSuspended else { return }
        areReadsSuspended = true
        reads.suspend()
    }

    func resumeReading() {
        guard areReadsSuspended else { return }
        areReadsSuspended = false
        reads.resume()
    }

    func resumeWriting() {
        guard areWritesSuspended else { return }
        areWritesSuspended = false
        if writes == nil {
            let source = DispatchSource.makeWriteSource(fileDescriptor: socket, queue: queue)
            source.setEventHandler(handler: onWritable)
            writes = source
        }
        writes?.resume()
    }

    func suspendWriting() {
        guard !areWritesSuspended else { return }
        areWritesSuspended = true
        writes?.suspend()
    }

    /// Ends all events. To be called once.
    /// - Parameter onCancelled: Runs on the queue when the descriptor is no longer watched, and so may be closed.
    func cancel(onCancelled: @escaping @Sendable () -> Void) {
        // A source that is released while suspended brings the process down.
        resumeReading()
        if writes != nil { resumeWriting() }
        let group = DispatchGroup()
        group.enter()
        reads.setCancelHandler { @Sendable in group.leave() }
        reads.cancel()
        if let writes {
            group.enter()
            writes.setCancelHandler { @Sendable in group.leave() }
            writes.cancel()
        }
        group.notify(queue: queue) { @Sendable in onCancelled() }
    }
}
