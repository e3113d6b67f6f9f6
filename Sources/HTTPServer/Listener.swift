internal import Dispatch
internal import DispatchExecutor

/// Accepts connections on one listening socket.
actor Listener {
    /// Called with the descriptor, the peer's address, and a number that counts connections.
    typealias Handler = @Sendable (Int32, String, Int) -> Void

    private let socket: Int32
    private let loop: EventLoop
    private let handler: Handler
    private var source: (any DispatchSourceRead)?
    private var accepted = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(socket: Int32, loop: EventLoop, handler: @escaping Handler) {
        self.socket = socket
        self.loop = loop
        self.handler = handler
    }

    func start() {
        let source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: loop.queue)
        source.setEventHandler { @Sendable [weak self] in self?.assumeIsolated { $0.acceptWaiting() } }
        source.setCancelHandler { @Sendable [socket] in Syscalls.close(socket) }
        self.source = source
        source.resume()
    }

    func stop() {
        source?.cancel()
        source = nil
    }

    private func acceptWaiting() {
        // Bounded, so that a flood of connections does not starve those that are open.
        for _ in 0..<64 {
            switch Syscalls.accept(socket) {
            case .connection(let descriptor, let address):
                accepted += 1
                handler(descriptor, address, accepted)
            case .none:
                return
            case .exhausted:
                pause()
                return
            }
        }
    }

    /// Leaves waiting connections in the kernel's queue for a moment: the descriptors are used up.
    private func pause() {
        source?.suspend()
        loop.queue.asyncAfter(deadline: .now() + .milliseconds(100)) { @Sendable [weak self] in
            self?.assumeIsolated { $0.source?.resume() }
        }
    }
}
