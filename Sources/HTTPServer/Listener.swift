import Dispatch

/// Accepts connections, on a queue of its own, and hands them out.
actor Listener {
    /// How long accepting rests when the process or the system has no more descriptors. The clients wait in the backlog meanwhile.
    private static let rest = DispatchTimeInterval.milliseconds(100)
    /// Connections accepted before the queue's other work has its turn.
    private static let acceptsPerEvent = 256

    private let executor = DispatchExecutor(label: "http.listener")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let socket: Int32
    /// What to answer a connection for which there is no descriptor; nil for nothing.
    private let refusal: @Sendable (_ peer: PeerAddress) -> [UInt8]?
    /// Given up for a moment to take a connection that then is told that there is no room.
    private var spare: Int32?
    private let accepted: @Sendable (_ socket: Int32, _ peer: PeerAddress) -> Void
    private var source: (any DispatchSourceRead)?
    private var isResting = false

    /// Takes over the listening socket.
    init(
        socket: Int32, refusal: @escaping @Sendable (_ peer: PeerAddress) -> [UInt8]?,
        accepted: @escaping @Sendable (_ socket: Int32, _ peer: PeerAddress) -> Void
    ) {
        self.socket = socket
        self.refusal = refusal
        spare = Syscalls.openSpare()
        self.accepted = accepted
    }

    nonisolated func start() {
        executor.queue.async { @Sendable in self.assumeIsolated { $0.open() } }
    }

    private func open() {
        let source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: executor.queue)
        source.setEventHandler { @Sendable in self.assumeIsolated { $0.accept() } }
        source.activate()
        self.source = source
    }

    private func accept() {
        for _ in 0..<Self.acceptsPerEvent {
            switch Syscalls.accept(socket) {
            case .connection(let socket, let peer): accepted(socket, peer)
            case .retry: continue
            case .wouldBlock: return
            case .exhausted:
                guard refuseOne() else { return pause() }
            }
        }
    }

    /// Tells the connection that has waited longest that there is no room. False if not even that is possible.
    private func refuseOne() -> Bool {
        guard let spare else {
            spare = Syscalls.openSpare()
            return false
        }
        Syscalls.close(spare)
        defer { self.spare = Syscalls.openSpare() }
        guard case .connection(let socket, let peer) = Syscalls.accept(socket) else { return false }
        Syscalls.refuse(socket, with: refusal(peer))
        return true
    }

    private func pause() {
        guard let source, !isResting else { return }
        isResting = true
        source.suspend()
        executor.queue.asyncAfter(deadline: .now() + Self.rest) { @Sendable in self.assumeIsolated { $0.goOn() } }
    }

    private func goOn() {
        guard isResting else { return }
        isResting = false
        source?.resume()
    }

    /// Returns when the socket is closed.
    func stop() async {
        guard let source else { return }
        goOn()
        self.source = nil
        if let spare { Syscalls.close(spare) }
        spare = nil
        // Connections in the backlog are served.
        while case .connection(let socket, let peer) = Syscalls.accept(socket) { accepted(socket, peer) }
        let socket = socket
        await withCheckedContinuation { closed in
            source.setCancelHandler { @Sendable in
                Syscalls.close(socket)
                closed.resume()
            }
            source.cancel()
        }
    }
}
