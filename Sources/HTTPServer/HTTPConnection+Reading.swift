import HTTP1

extension HTTPConnection {
    /// What has to be answered next.
    enum Exchange {
        case message(Message)
        /// As many octets of the body cannot be read before there is memory for them.
        case room(Int)
        /// The rest of an answer, for which there was no room in the socket.
        case unsent
    }

    /// A whole request. An object, so that it is handed on without being copied.
    final class ReceivedRequest: Sendable {
        let section: RequestHead
        let request: ServerRequest

        init(_ section: RequestHead, _ request: ServerRequest) {
            self.section = section
            self.request = request
        }
    }

    /// What gets an answer.
    enum Message {
        case request(ReceivedRequest)
        /// Answered on its header section alone; its body, if there is one, has not been read.
        case admission(ServerResponse, RequestHead)
        /// Nil before a header section was complete.
        case rejection(HTTPRejection, RequestHead?)
    }

    /// Full buffers taken from one connection before the others of the loop have their turn.
    private static let receivesPerEvent = 8

    /// Receives what has come, and begins to answer when that completes a request.
    func receive() {
        var octets = 0
        receiving: for _ in 0..<Self.receivesPerEvent {
            switch window.receive(transport, loop) {
            case .octets(let count):
                configuration.counters.countReceived(count)
                octets += count
                if let exchange = nextExchange() { return begin(exchange) }
                guard phase == .reading else { return }
            case .wouldBlock:
                if transport.wantsWriting { watch(for: .writing, true) }
                guard octets > 0 else { return }
                break receiving
            case .end:
                peerHasEnded = true
                return close()
            case .failed:
                return close()
            }
            // After a full buffer there is likely more; else the loop tells.
            guard window.wasFull || transport.hasUnread else { break }
        }
        awaitInput(after: octets)
        receiveUnread()
    }

    /// Receives what the transport already holds when the others of the loop have had their turn: the watch over the socket does not know of it.
    func receiveUnread() {
        guard transport.hasUnread else { return }
        loop.submit { @Sendable in self.assumeIsolated { $0.becameReadable() } }
    }

    /// Parses what was received, up to the end of the next request. Nil if more must come, or the connection has closed.
    func nextExchange() -> Exchange? {
        do throws(HTTPRejection) {
            repeat {
                while let event = try parser.parse(window.octets.span.extracting(0..<window.end), at: &window.start) {
                    switch event {
                    case .head(let section):
                        var request = ServerRequest(head: section.request, version: section.version, remoteAddress: peer)
                        switch responder.admit(&request) {
                        case .answer(let response):
                            return .message(.admission(response, section))
                        case .accept(let maximum, let growth):
                            head = section
                            admitted = consume request
                            bodyGrowth = growth
                            let memory = configuration.bodyMemory
                            try parser.readBody(maximumBytes: min(maximum, memory?.largest ?? .max), isRationed: memory != nil)
                            if memory == nil { invite(section) }
                        }
                    case .body(let body):
                        isSkippingBody = false
                        guard let section = head.take(), var request = admitted.take() else { continue }
                        request.body = body
                        // It belongs to the request now: if the client goes, the body stays until its last reader has ended.
                        request.lease = bodyLease.take()
                        return .message(.request(ReceivedRequest(section, request)))
                    }
                }
                guard let octets = parser.wantedRoom else { return nil }
                guard giveRoomNow(octets) else { return .room(octets) }
            } while phase != .closed
            return nil
        } catch {
            // What breaks off while a body is skipped belongs to a request that has its answer.
            if isSkippingBody {
                linger()
                return nil
            }
            defer { head = nil }
            return .message(.rejection(error, head))
        }
    }

    private func giveRoomNow(_ octets: Int) -> Bool {
        if let bodyLease {
            guard bodyLease.growNow(by: octets) else { return false }
            parser.giveRoom(octets)
            return true
        }
        guard let lease = configuration.bodyMemory?.reserveNow(octets, growth: bodyGrowth) else { return false }
        beginBody(lease, octets)
        return true
    }

    /// Goes on with a body for which there is memory now.
    func beginBody(_ lease: BodyMemory.Lease, _ octets: Int) {
        bodyLease = lease
        parser.giveRoom(octets)
        if let head { invite(head) }
    }

    /// Sends `100 (Continue)` if the client waits for it: admitted, with a body of which nothing has come (RFC 9110 §10.1.1).
    private func invite(_ head: RequestHead) {
        guard head.expectsContinue, head.framing != .none, window.isEmpty else { return }
        switch transport.send(ResponseHeadEncoder.continueHead, from: 0, more: false) {
        case .octets(ResponseHeadEncoder.continueHead.count): break
        // The answers before are out, so that there is room for 25 octets, unless the connection is broken.
        default: close()
        }
    }

    /// Waits for the client, until the deadline of what is missing.
    /// - Parameter octets: What has come since the last time.
    func awaitInput(after octets: Int = 0) {
        let before = awaited
        awaited = head != nil || isSkippingBody ? .body : parser.isBetweenRequests ? .request : .head
        switch awaited {
        case .request:
            deadline = .now + (isDraining ? min(configuration.idleTimeout, configuration.drainIdleTimeout) : configuration.idleTimeout)
        case .body:
            let now = ContinuousClock.now
            if before != .body {
                pace = Pace(slack: configuration.bodyTimeout, rate: bodyRate)
            } else {
                pace.progress(octets, in: now - paceStart)
            }
            paceStart = now
            deadline = pace.deadline(from: now)
        case .head:
            // For the section as a whole: octets that trickle in win no time.
            if before != .head || deadline == nil { deadline = .now + configuration.headerTimeout }
        }
    }

    func inputTimedOut() {
        configuration.counters.count(timeout)
        switch awaited {
        case .request:
            linger()
        case .head:
            refuse(.requestTimeout("The header section took longer than \(configuration.headerTimeout).", "RFC 9110 §15.5.9"))
        case .body:
            guard !isSkippingBody else { return close() }
            let (head, rate) = (head, bodyRate)
            self.head = nil
            refuse(
                .requestTimeout(
                    "The body came too slowly: less than \(max(rate, 1)) octets a second, for \(configuration.bodyTimeout).",
                    "RFC 9110 §15.5.9"), head)
        }
    }

    /// Octets a second that the body must bring.
    private var bodyRate: Int {
        guard configuration.bodyRate > 0, case .length(let length)? = head?.framing else { return configuration.bodyRate }
        return max(configuration.bodyRate, Int(Double(length) / (configuration.longestBody / .seconds(1))))
    }

    private var timeout: ServerStatistics.Timeout {
        switch awaited {
        case .request: .idle
        case .head: .header
        case .body: .body
        }
    }

    /// Prepares to skip the body of a request that was answered without it. False if the connection should close instead.
    func skipBody(of head: RequestHead) -> Bool {
        // A client that was not told to go on may or may not send its body: nothing after it could be found (RFC 9110 §10.1.1).
        if head.expectsContinue && head.framing != .none { return false }
        do throws(HTTPRejection) {
            try parser.discardBody(maximumBytes: configuration.skippedBodyOctets)
        } catch {
            return false
        }
        isSkippingBody = head.framing != .none
        return true
    }
}
