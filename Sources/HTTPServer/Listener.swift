import Dispatch
import DispatchExecutor

/// Accepts connections, on a queue of its own, and hands them out.
actor Listener {
    /// How long accepting rests when the process or the system has no more descriptors. The clients wait in the backlog meanwhile.
    private static let rest = DispatchTimeInterval.milliseconds(100)
    /// Connections accepted before the queue's other work has its turn.
    private static let acceptsPerEvent = 256

    private let executor = DispatchExecutor(label: "http.listener")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let socket: Int32
    private let accepted: @Sendable (_ socket: Int32, _ peer: PeerAddress) -> Void
    private var source: (any DispatchSourceRead)?
    private var isResting = false

    /// Takes over the listening socket.
    init(socket: Int32, accepted: @escaping @Sendable (_ socket: Int32, _ peer: PeerAddress) -> Void) {
        self.socket = socket
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
                pause()
                return
            }
        }
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
        // Who has come as far as the backlog is served.
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
