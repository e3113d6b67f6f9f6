import Dispatch
import DispatchExecutor
import HTTP1
import HTTPTypes

/// One connection: reads a request, answers it, reads the next. One request is in flight at a time; that is the back-pressure.
///
/// All state is guarded by the loop's queue, on which both the actor and the Dispatch sources of its socket run.
actor HTTPConnection {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    let socket: Int32
    let peer: String
    let responder: any HTTPResponder
    let configuration: HTTPServerConfiguration
    let encoder: ResponseHeadEncoder
    /// Called once, when the socket is closed.
    private let onClosed: @Sendable () -> Void

    var parser: HTTPRequestParser
    var window = ReceiveWindow()
    /// Head, and small content, of the answer that is being sent.
    var out: [UInt8] = []
    private var started: SocketReadiness?
    private var task: Task<Void, Never>?

    /// The client has ended its side: nothing more will come, but answers may still be awaited.
    var peerHasEnded = false
    /// The connection is broken, or was given up: no system call may use the socket any more.
    private(set) var isGone = false
    private var isClosed = false
    /// The server shuts down: answer what has begun, then close.
    private(set) var isDraining = false
    /// Between requests, where a draining connection may end at once.
    var isIdle = true
    /// A body that nobody wants is being skipped; its request has been answered.
    var isSkippingBody = false
    /// When the header section that is being read must have come.
    var headDeadline: ContinuousClock.Instant?

    init(
        socket: Int32, peer: String, loop: EventLoop, responder: any HTTPResponder, configuration: HTTPServerConfiguration,
        encoder: ResponseHeadEncoder, onClosed: @escaping @Sendable () -> Void
    ) {
        self.socket = socket
        self.peer = peer
        self.loop = loop
        self.responder = responder
        self.configuration = configuration
        self.encoder = encoder
        self.onClosed = onClosed
        parser = HTTPRequestParser(limits: configuration.limits)
    }

    nonisolated func start() {
        loop.add(self)
        loop.executor.queue.async { @Sendable in
            self.loop.executor.perform { self.assumeIsolated { $0.open() } }
        }
    }

    private func open() {
        guard !isClosed else { return }
        let loop = loop
        started = SocketReadiness(
            socket: socket, queue: loop.executor.queue,
            onReadable: { @Sendable [self] in loop.executor.perform { self.assumeIsolated { $0.becameReadable() } } },
            onWritable: { @Sendable [self] in loop.executor.perform { self.assumeIsolated { $0.started?.becameWritable() } } })
        task = Task { await serve() }
    }

    private func serve() async {
        while let exchange = await nextExchange() {
            isIdle = false
            let (response, context) = await answer(to: exchange)
            guard await send(response, context) else { break }
            isIdle = true
        }
        await linger()
        close()
    }

    /// The answer, and what decides its framing.
    private func answer(to exchange: Exchange) async -> (ServerResponse, ResponseContext) {
        switch exchange {
        case .request(let head, let body):
            let request = ServerRequest(head: head.request, version: head.version, body: body, remoteAddress: peer)
            let response = await responder.respond(to: request)
            return (response, context(head, goesOn: head.keepsAlive))
        case .admission(let response, let head):
            return (response, context(head, goesOn: head.keepsAlive && skipBody(of: head)))
        case .rejection(let rejection, let head):
            // What the client sends next cannot be told from what it sent before (RFC 9112 §9.6).
            return (responder.answer(to: rejection), ResponseContext(method: head?.request.method, version: head?.version ?? .http11, keepsAlive: false))
        }
    }

    private func context(_ head: RequestHead, goesOn: Bool) -> ResponseContext {
        ResponseContext(method: head.request.method, version: head.version, keepsAlive: goesOn && !isDraining && !isGone)
    }

    /// Nobody waits for input but something has come: the client has gone, or sends ahead.
    private func becameReadable() {
        guard let started, !isGone, !started.becameReadable() else { return }
        started.suspendReading()
        switch Syscalls.peek(socket) {
        case .octets, .wouldBlock: return
        case .end:
            // Only a client that has sent requests ahead is taken to be still there when its side has ended.
            if window.isEmpty { task?.cancel() }
        case .failed: giveUp()
        }
    }

    /// Waits until there is something to receive. False ends the connection.
    func waitReadable(until deadline: ContinuousClock.Instant) async -> SocketReadiness.Wake {
        window.release(to: loop)
        guard let started, !isGone else { return .interrupted }
        return await started.readable(until: deadline)
    }

    func waitWritable(until deadline: ContinuousClock.Instant) async -> SocketReadiness.Wake {
        guard let started, !isGone else { return .interrupted }
        return await started.writable(until: deadline)
    }

    /// The connection is broken, or no longer wanted.
    func giveUp() {
        isGone = true
        task?.cancel()
        started?.interrupt()
    }

    func expire(_ now: ContinuousClock.Instant) {
        started?.expire(now)
    }

    /// Ends the connection after the request that has begun, or at once.
    func drain() {
        isDraining = true
        if isIdle && parser.isBetweenRequests { started?.interrupt() }
    }

    /// Ends the connection whatever it is doing; the client sees a reset.
    func abort() {
        giveUp()
        close()
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        isGone = true
        window.release(to: loop)
        loop.remove(self)
        let socket = socket
        let onClosed = onClosed
        guard let started else {
            Syscalls.close(socket)
            onClosed()
            return
        }
        self.started = nil
        started.cancel {
            Syscalls.close(socket)
            onClosed()
        }
    }
}
