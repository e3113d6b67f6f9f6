import HTTP1
import HTTPTypes

/// One connection: reads a request, has it answered, reads the next. One request is in flight at a time; that is the back-pressure.
///
/// All state is guarded by the loop, on whose thread both the actor and the events of its socket run.
actor HTTPConnection {
    enum Phase {
        /// TLS has yet to be agreed on.
        case handshaking
        /// Waits for a request, or has a part of one.
        case reading
        /// A request is with the responder, or its answer is on its way.
        case answering
        /// The last answer is out; what still comes is dropped (RFC 9112 §9.6).
        case lingering
        /// No system call may use the socket any more.
        case closed
    }

    /// What a connection that reads waits for; each has its own time.
    enum Awaited {
        case request
        case head
        case body
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// Never used again, other than the socket's number.
    nonisolated let id: UInt64
    nonisolated let socket: Int32
    let peer: String
    /// Why it is answered with 503 and nothing else.
    private let refusal: ServerStatistics.Refusal?
    let responder: any HTTPResponder
    let configuration: HTTPServerConfiguration
    let encoder: ResponseHeadEncoder
    private let onClosed: @Sendable () -> Void
    var transport: Transport

    var phase = Phase.reading {
        didSet {
            guard (oldValue == .answering) != (phase == .answering) else { return }
            loop.countAnswering(phase == .answering ? 1 : -1)
        }
    }
    /// TLS: what came first has been looked at.
    var hasLooked = false
    /// When to give up what is waited for; nil while nothing of the client is.
    var deadline: ContinuousClock.Instant?
    /// Which events the loop watches for; nil before the first and after the last.
    private var interest: Poller.Interest?
    /// The client has ended its side: nothing more will come, but answers may still be awaited.
    var peerHasEnded = false
    /// The server shuts down: what has begun is answered, then the connection closes.
    private(set) var isDraining = false

    // Reading.
    var parser: HTTPRequestParser
    var window = ReceiveWindow()
    var awaited = Awaited.request
    /// Of the request whose body is being read.
    var head: RequestHead?
    /// The request of that section, as its responder admitted it, without the body.
    var admitted: ServerRequest?
    /// An unread body is being skipped; its request has been answered.
    var isSkippingBody = false
    var lingeredOctets = 0
    /// For the body that is being read, and what it may become.
    var bodyLease: BodyMemory.Lease?
    var bodyGrowth = 0
    /// Of the body that is read, or of the answer that is sent.
    var pace = Pace(slack: .zero, rate: 0)
    var paceStart = ContinuousClock.now
    /// Octets of the answer that were taken since `pace` was last told.
    var unpaced = 0

    // Answering.
    var task: Task<Void, Never>?
    /// How far the answer is that is being made or sent.
    var progress = AnswerProgress.none
    /// Octets of the answer's status line that were sent before there was an answer.
    var octetsSentAhead = 0
    /// Head, and small content, of the answer that is being sent.
    var out: [UInt8] = []
    /// Whether `out` leaves when the loop's turn ends.
    var holdsAnswer = false
    /// Waits for room in the socket; true when there is some.
    var writer: CheckedContinuation<Bool, Never>?

    /// - Parameter onClosed: Called once, when the socket is closed.
    init(
        id: UInt64, socket: Int32, peer: String, refusal: ServerStatistics.Refusal?, loop: EventLoop, responder: any HTTPResponder,
        configuration: HTTPServerConfiguration,
        encoder: ResponseHeadEncoder, onClosed: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.socket = socket
        self.peer = peer
        self.refusal = refusal
        transport = .plain(socket)
        self.loop = loop
        self.responder = responder
        self.configuration = configuration
        self.encoder = encoder
        self.onClosed = onClosed
        parser = HTTPRequestParser(limits: configuration.limits, isSecure: configuration.tls != nil)
    }

    nonisolated func start() {
        loop.submit { @Sendable in self.assumeIsolated { $0.open() } }
    }

    private func open() {
        interest = .reading
        guard loop.add(self) else {
            configuration.counters.count(.resources)
            return close(byReset: true)
        }
        if let tls = configuration.tls {
            if refusal != nil { return close(byReset: true) }
            return beginHandshake(tls)
        }
        if let refusal { return refuse(.serviceUnavailable(refusal.explanation, "RFC 9110 §15.6.4")) }
        awaitInput()
    }

    func becameReady(_ event: Poller.Event) {
        if phase == .handshaking { return shakeHands() }
        if event.isWritable { becameWritable() }
        if event.isReadable { becameReadable() }
    }

    private func becameWritable() {
        switch phase {
        case .answering: resumeWriter(canWrite: true)
        case .reading:
            watch(for: .writing, false)
            becameReadable()
        case .lingering:
            watch(for: .writing, false)
            endSending()
        case .handshaking, .closed: break
        }
    }

    func watch(for event: Poller.Interest, _ isWanted: Bool) {
        guard let before = interest else { return }
        let after = isWanted ? before.union(event) : before.subtracting(event)
        guard after != before else { return }
        interest = after
        loop.watch(self, after)
    }

    func becameReadable() {
        switch phase {
        case .handshaking: shakeHands()
        case .reading: receive()
        case .answering: lookForEnd()
        case .lingering: dropInput()
        case .closed: break
        }
        window.release(to: loop)
    }

    /// Input has come although none is waited for: the client has gone, or sends ahead.
    private func lookForEnd() {
        switch transport.peek() {
        case .wouldBlock: break
        case .octets: watch(for: .reading, false)
        case .failed: close()
        case .end:
            watch(for: .reading, false)
            peerHasEnded = true
            // A client with more requests waiting is taken to be still there.
            if window.isEmpty { probePeer() }
        }
    }

    /// Called by the loop now and then.
    func expire(_ now: ContinuousClock.Instant) {
        guard let deadline, deadline <= now else { return }
        self.deadline = nil
        switch phase {
        case .handshaking: handshakeTimedOut()
        case .reading: inputTimedOut()
        case .answering:
            configuration.counters.count(.answer)
            resumeWriter(canWrite: false)
        case .lingering: close()
        case .closed: break
        }
    }

    /// Ends the connection after the next answer, or when it has had no request for a while: its client may be about to send one.
    func drain() {
        isDraining = true
        if phase == .reading && awaited == .request { awaitInput() }
        if phase == .lingering { deadline = .now + configuration.lingerTimeout }
    }

    /// Gives back what has come of a body that will not be read.
    func dropBody() {
        head = nil
        bodyLease = nil
        parser = HTTPRequestParser(limits: configuration.limits, isSecure: configuration.tls != nil)
    }

    /// Ends our side, and drops what the client still sends, so that no reset overtakes the last answer (RFC 9112 §9.6).
    func linger() {
        guard phase != .closed else { return }
        guard !peerHasEnded else { return close() }
        _ = sendWhatIsHeld()
        phase = .lingering
        dropBody()
        paceStart = .now
        deadline = paceStart + configuration.lingerTimeout
        window.clear(loop)
        watch(for: .reading, true)
        endSending()
    }

    private func endSending() {
        if !transport.endSending() { watch(for: .writing, true) }
    }

    private func dropInput() {
        switch window.receive(transport, loop) {
        case .octets(let count):
            lingeredOctets += count
            window.clear(loop)
            if lingeredOctets > configuration.lingerOctets { return close() }
            if !isDraining { deadline = min(.now + configuration.lingerTimeout, paceStart + configuration.longestLinger) }
            receiveUnread()
        case .wouldBlock: break
        case .end, .failed: close()
        }
    }

    /// Ends the connection whatever it is doing. Its task is cancelled.
    /// - Parameter byReset: So that the client cannot take a cut answer for a whole one.
    func close(byReset: Bool = false) {
        guard phase != .closed else { return }
        _ = sendWhatIsHeld()
        phase = .closed
        deadline = nil
        task?.cancel()
        resumeWriter(canWrite: false)
        window.clear(loop)
        dropBody()
        if !byReset { _ = transport.endSending() }
        if interest != nil { loop.remove(self) }
        interest = nil
        if byReset { Syscalls.resetOnClose(socket) }
        transport = .plain(socket)
        Syscalls.close(socket)
        onClosed()
    }
}
