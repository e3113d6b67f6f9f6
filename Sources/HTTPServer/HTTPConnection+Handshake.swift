import HTTP1

extension HTTPConnection {
    func beginHandshake(_ tls: TLSContext) {
        guard let session = tls.session(on: socket) else { return close(byReset: true) }
        transport = .secure(session)
        phase = .handshaking
        deadline = .now + configuration.handshakeTimeout
    }

    /// Goes on with the handshake as far as what has come allows.
    func shakeHands() {
        guard case .secure(let session) = transport else { return }
        if !hasLooked {
            // A ClientHello begins with the number of its kind of record, 22; HTTP in the clear with a letter.
            guard let first = Syscalls.firstOctet(socket) else {
                if case .wouldBlock = Syscalls.peek(socket) { return }
                return close()
            }
            hasLooked = true
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) { return refusePlainHTTP() }
        }
        switch session.handshake() {
        case .done(let isResumed):
            configuration.counters.countHandshake(isResumed: isResumed)
            phase = .reading
            watch(for: .writing, false)
            watch(for: .reading, true)
            awaitInput()
            becameReadable()
        case .wantsReading:
            watch(for: .writing, false)
            watch(for: .reading, true)
        case .wantsWriting:
            // What else comes in would only wake the loop in vain.
            watch(for: .reading, false)
            watch(for: .writing, true)
        case .failed:
            configuration.counters.countFailedHandshake()
            // The alert that says why should arrive.
            linger()
        }
    }

    private func refusePlainHTTP() {
        configuration.counters.countFailedHandshake()
        transport = .plain(socket)
        refuse(.badRequest("HTTP came in the clear; this port takes https only.", "RFC 9110 §4.2.2"))
    }

    func handshakeTimedOut() {
        configuration.counters.count(.handshake)
        close(byReset: true)
    }
}
