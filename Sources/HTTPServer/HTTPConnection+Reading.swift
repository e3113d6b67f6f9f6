import HTTP1
import HTTPTypes

extension HTTPConnection {
    /// What has to be answered next.
    enum Exchange {
        case request(RequestHead, body: [UInt8])
        /// Answered on its header section alone; its body, if there is one, has not been read.
        case admission(ServerResponse, RequestHead)
        /// Nil before a header section was complete.
        case rejection(HTTPRejection, RequestHead?)
    }

    /// Reads up to the end of the next request. Nil if the connection is to end without a word.
    func nextExchange() async -> Exchange? {
        var head: RequestHead?
        do throws(HTTPRejection) {
            while true {
                switch try parser.parse(window.octets.span.extracting(0..<window.end), at: &window.start) {
                case .head(let section):
                    head = section
                    headDeadline = nil
                    switch responder.admit(section.request) {
                    case .answer(let response):
                        return .admission(response, section)
                    case .accept(let maximum):
                        try parser.readBody(maximumBytes: maximum)
                        guard await invite(section) else { return nil }
                    }
                case .body(let body):
                    if let head {
                        window.release(to: loop)
                        return .request(head, body: body)
                    }
                    isSkippingBody = false
                case nil:
                    guard try await receive(hasHead: head != nil) else { return nil }
                }
            }
        } catch {
            // What breaks off while a body is skipped belongs to a request that has its answer.
            return isSkippingBody ? nil : .rejection(error, head)
        }
    }

    /// Sends `100 (Continue)` if the client waits for it: admitted, with a body of which nothing has come (RFC 9110 §10.1.1).
    private func invite(_ head: RequestHead) async -> Bool {
        guard head.expectsContinue, head.framing != .none, window.isEmpty else { return true }
        return await write(ResponseHeadEncoder.continueHead)
    }

    /// Receives once. False if nothing more will come, or nothing more is wanted.
    private func receive(hasHead: Bool) async throws(HTTPRejection) -> Bool {
        // After a full buffer there is likely more, and no need to be told so.
        var isReady = window.wasFull
        while !peerHasEnded, !isGone {
            if !isReady {
                guard try await waitForInput(hasHead: hasHead) else { return false }
            }
            isReady = false
            switch window.receive(socket, loop) {
            case .octets: return true
            case .wouldBlock: continue
            case .end: peerHasEnded = true
            case .failed: giveUp()
            }
        }
        return false
    }

    private func waitForInput(hasHead: Bool) async throws(HTTPRejection) -> Bool {
        let isIdle = !hasHead && !isSkippingBody && parser.isBetweenRequests
        if isIdle && isDraining { return false }
        switch await waitReadable(until: inputDeadline(hasHead: hasHead, isIdle: isIdle)) {
        case .ready:
            return true
        case .interrupted:
            return false
        case .timedOut:
            if isIdle || isSkippingBody { return false }
            throw hasHead
                ? .requestTimeout("The body made no progress for \(configuration.bodyTimeout).", "RFC 9110 §15.5.9")
                : .requestTimeout("The header section took longer than \(configuration.headerTimeout).", "RFC 9110 §15.5.9")
        }
    }

    private func inputDeadline(hasHead: Bool, isIdle: Bool) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        if isIdle { return now + configuration.idleTimeout }
        if hasHead || isSkippingBody { return now + configuration.bodyTimeout }
        let deadline = headDeadline ?? now + configuration.headerTimeout
        headDeadline = deadline
        return deadline
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
        isSkippingBody = true
        return true
    }

    /// Ends our side, and drops what the client still sends, so that no reset overtakes the last answer (RFC 9112 §9.6).
    func linger() async {
        guard !isGone else { return }
        Syscalls.endSending(socket)
        let deadline = ContinuousClock.now + configuration.lingerTimeout
        var dropped = 0
        while !peerHasEnded, !isGone, dropped < configuration.lingerOctets {
            guard await waitReadable(until: deadline) == .ready, ContinuousClock.now < deadline else { return }
            switch window.receive(socket, loop) {
            case .octets(let count): dropped += count
            case .wouldBlock: continue
            case .end: peerHasEnded = true
            case .failed: giveUp()
            }
            window.start = window.end
        }
    }
}
