internal import Dispatch
internal import DispatchExecutor
internal import HTTP1
internal import HTTPTypes

/// One connection: reads requests, has them answered one at a time and in order, writes the answers.
///
/// Everything here runs on the connection's event loop; the DispatchSources target the same queue, so their handlers need no hop. While a
/// request is in flight nothing further is parsed: that is the back-pressure.
actor HTTPConnection {
    enum State: Equatable {
        /// Waits for a request or reads one.
        case reading
        /// A request is with the responder, or its answer is being written.
        case responding
        /// The last answer is out; what the client still sends is thrown away until it closes (RFC 9112 §9.6).
        case lingering
        case closed
    }

    /// Bytes taken from the socket at a time, between requests and inside a body.
    private static let readSize = (head: 16 * 1024, body: 256 * 1024)
    /// Bytes that may wait while a request is in flight; beyond, the socket is left unread.
    private static let pipelinedBytes = 64 * 1024

    let socket: Int32
    let address: String
    let configuration: HTTPServerConfiguration
    let responder: any HTTPResponder
    private let group: ConnectionGroup
    private let loop: EventLoop

    var state = State.reading
    private var parser: HTTPRequestParser
    /// Received and not yet parsed.
    private var input: ArraySlice<UInt8> = []
    /// The head of the request whose body is being read.
    private var head: RequestHead?
    /// An answer that was decided on the head alone; it goes out when the unwanted body has been drained.
    private var earlyAnswer: ServerResponse?
    private var peerHasClosed = false
    private var isDraining = false
    var answering: Task<Void, Never>?
    /// When, on the monotonic clock, to give up what is waited for.
    var deadline = Double.infinity

    private var reader: (any DispatchSourceRead)?
    private var readerIsSuspended = false
    var writer: (any DispatchSourceWrite)?
    var writerIsSuspended = true
    /// Bytes not yet taken by the kernel, and how many of the first piece are.
    var outgoing: [[UInt8]] = []
    var outgoingOffset = 0
    var waitingForWrite: CheckedContinuation<Bool, Never>?
    var date = (second: 0, text: "")

    var queue: DispatchQueue { loop.queue }

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(socket: Int32, address: String, group: ConnectionGroup, configuration: HTTPServerConfiguration, responder: any HTTPResponder) {
        self.socket = socket
        self.address = address
        self.group = group
        loop = group.loop
        self.configuration = configuration
        self.responder = responder
        parser = HTTPRequestParser(limits: configuration.limits)
    }

    func start() {
        let reader = DispatchSource.makeReadSource(fileDescriptor: socket, queue: loop.queue)
        reader.setEventHandler { @Sendable [weak self] in self?.assumeIsolated { $0.readAvailable() } }
        // The descriptor may be closed only when no source watches it any more.
        reader.setCancelHandler { @Sendable [self] in assumeIsolated { $0.readerHasEnded() } }
        self.reader = reader
        deadline = Syscalls.monotonicSeconds + configuration.idleTimeout
        reader.resume()
    }

    // MARK: Reading

    private func readAvailable() {
        switch state {
        case .closed: return
        case .lingering: return discardInput()
        case .reading, .responding: break
        }
        let maximum = parser.isInBody && state == .reading ? Self.readSize.body : Self.readSize.head
        let (bytes, outcome) = Syscalls.receive(socket, maximum: maximum)
        switch outcome {
        case .wouldBlock: return
        case .failed: return close()
        case .bytes(0): return peerClosed()
        case .bytes: break
        }
        if input.isEmpty { input = bytes[...] } else { input += bytes }
        if state == .reading {
            parseInput()
        } else if input.count >= Self.pipelinedBytes {
            suspendReader()
        }
    }

    private func peerClosed() {
        peerHasClosed = true
        // The source would fire for ever.
        suspendReader()
        if state == .responding {
            deadline = min(deadline, Syscalls.monotonicSeconds + configuration.halfCloseGrace)
        } else {
            close()
        }
    }

    /// Parses until a request is whole or the input is used up.
    private func parseInput() {
        let wasIdle = parser.isIdle
        do {
            while state == .reading, let event = try parser.consume(&input) {
                switch event {
                case .head(let head): try accept(head)
                case .body(let body): finish(body)
                }
            }
        } catch {
            reject(error)
        }
        guard state == .reading else { return }
        let now = Syscalls.monotonicSeconds
        if parser.isInBody {
            deadline = now + configuration.stallTimeout
        } else if wasIdle, !parser.isIdle {
            deadline = now + configuration.headerTimeout
        }
    }

    private func accept(_ head: RequestHead) throws(HTTPRejection) {
        self.head = head
        switch responder.admit(head.request) {
        case .accept(let maximumBytes):
            try parser.acceptBody(maximumBytes: maximumBytes)
            // Not when the body is already on its way (RFC 9110 §10.1.1).
            if head.expectsContinue, head.hasBody, input.isEmpty { enqueue(ResponseEncoder.continueHead, more: false) }
        case .answer(let answer):
            // A client that waits for 100 may send the body or not after another status: the connection cannot go on.
            let willDrain = !head.expectsContinue && (head.declaredLength ?? 0) <= configuration.drainBytes
            guard willDrain else { return respond(answer, to: head, closing: true) }
            earlyAnswer = answer
            try parser.acceptBody(maximumBytes: configuration.drainBytes)
        }
    }

    private func finish(_ body: [UInt8]) {
        guard let head else { return }
        self.head = nil
        if let answer = earlyAnswer {
            earlyAnswer = nil
            return respond(answer, to: head, closing: false)
        }
        respond(to: ServerRequest(head: head.request, version: head.version, body: body, remoteAddress: address), head)
    }

    private func reject(_ rejection: HTTPRejection) {
        respond(earlyAnswer ?? responder.answer(to: rejection), to: head, closing: true)
    }

    private func discardInput() {
        let (_, outcome) = Syscalls.receive(socket, maximum: Self.readSize.body)
        switch outcome {
        case .bytes(0), .failed: close()
        default: break
        }
    }

    func suspendReader() {
        guard !readerIsSuspended else { return }
        readerIsSuspended = true
        reader?.suspend()
    }

    private func resumeReader() {
        guard readerIsSuspended else { return }
        readerIsSuspended = false
        reader?.resume()
    }

    // MARK: Life

    /// Whether the answer that is about to be sent must be the last.
    var mustClose: Bool { isDraining || peerHasClosed }

    /// The answer is out: goes on with the next request.
    func continueReading() {
        answering = nil
        state = .reading
        if isDraining && parser.isIdle && input.isEmpty { return linger() }
        deadline = Syscalls.monotonicSeconds + configuration.idleTimeout
        parseInput()
        if state == .reading { peerHasClosed ? close() : resumeReader() }
    }

    /// Closes our side and waits a little for the client's, so that a reset does not destroy the answer on its way.
    func linger() {
        answering = nil
        guard state != .closed else { return }
        state = .lingering
        input = []
        Syscalls.shutdownWriting(socket)
        if peerHasClosed { return close() }
        deadline = Syscalls.monotonicSeconds + 2
        resumeReader()
    }

    /// Lets the request in flight be the last one; closes at once when there is none.
    func drain() {
        isDraining = true
        if state == .reading && parser.isIdle && input.isEmpty { linger() }
    }

    func checkDeadline(_ now: Double) {
        guard now >= deadline else { return }
        if state == .reading && !parser.isIdle {
            reject(HTTPRejection(status: .requestTimeout, detail: "the request did not come in time", rule: "RFC 9110 §15.5.9"))
        } else {
            close()
        }
    }

    /// Ends everything now.
    func close() {
        guard state != .closed else { return }
        state = .closed
        answering?.cancel()
        answering = nil
        endWriting()
        resumeReader()
        reader?.cancel()
        reader = nil
    }

    private func readerHasEnded() {
        Syscalls.close(socket)
        Task { [group] in await group.remove(self) }
    }
}
