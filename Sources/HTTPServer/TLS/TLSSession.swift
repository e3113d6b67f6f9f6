private import COpenSSL

/// TLS on one non-blocking socket. Used on the connection's loop only.
@safe
final class TLSSession {
    enum Handshake {
        case done(isResumed: Bool)
        case wantsReading
        case wantsWriting
        case failed
    }

    let socket: Int32
    /// An `SSL` of OpenSSL, owned.
    private let session: OpaquePointer
    private var hasShakenHands = false
    private var hasEndedSending = false
    /// After a fatal error the session must not be touched; the peer has been told by an alert.
    private var isBroken = false
    /// More may have been received than was asked for, of which the system's watch over the socket knows nothing.
    private(set) var hasUnread = false
    /// Reading goes on only when something could be written: the peer wants other keys while our buffer is full.
    private(set) var wantsWriting = false

    init(_ session: OpaquePointer, on socket: Int32) {
        self.socket = socket
        unsafe self.session = session
        unsafe SSL_set_accept_state(session)
        isBroken = unsafe SSL_set_fd(session, socket) != 1
    }

    deinit { unsafe SSL_free(session) }

    /// Goes on with the handshake as far as what has come allows.
    func handshake() -> Handshake {
        guard !isBroken else { return .failed }
        ERR_clear_error()
        let status = unsafe SSL_do_handshake(session)
        if status == 1 {
            hasShakenHands = true
            hasUnread = true
            return .done(isResumed: unsafe SSL_session_reused(session) == 1)
        }
        switch unsafe SSL_get_error(session, status) {
        case SSL_ERROR_WANT_READ: return .wantsReading
        case SSL_ERROR_WANT_WRITE: return .wantsWriting
        default:
            isBroken = true
            return .failed
        }
    }

    /// Receives until `buffer` is full or nothing more is at hand.
    func receive(into buffer: inout [UInt8]) -> Syscalls.Received {
        guard !isBroken else { return Syscalls.receive(socket, into: &buffer) }
        let (session, capacity) = unsafe (session, buffer.count)
        var filled = 0
        var failure: Syscalls.Received?
        while filled < capacity, failure == nil {
            ERR_clear_error()
            let status = unsafe buffer.withUnsafeMutableBytes { bytes in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
                return unsafe SSL_read(session, rest.baseAddress, Int32(clamping: rest.count))
            }
            if status > 0 { filled += Int(status) } else { failure = received(status) }
        }
        if filled > 0 {
            // What ended the reading, other than that nothing is there, is found again by the next call.
            if case .wouldBlock? = failure { hasUnread = false } else { hasUnread = true }
            return .octets(filled)
        }
        hasUnread = false
        return failure ?? .failed
    }

    /// Looks whether there is something to receive, without taking it.
    func peek() -> Syscalls.Received {
        guard !isBroken else { return .failed }
        ERR_clear_error()
        var octet: UInt8 = 0
        let session = unsafe session
        let status = unsafe withUnsafeMutableBytes(of: &octet) { unsafe SSL_peek(session, $0.baseAddress, 1) }
        guard status <= 0 else {
            hasUnread = true
            return .octets(1)
        }
        return received(status)
    }

    private func received(_ status: Int32) -> Syscalls.Received {
        let error = unsafe SSL_get_error(session, status)
        wantsWriting = error == SSL_ERROR_WANT_WRITE
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .end
        default:
            isBroken = true
            return .failed
        }
    }

    /// Sends at least one record of `octets` from `start` on, if there is room. After `.wouldBlock` the same octets must come again.
    func send(_ octets: [UInt8], from start: Int) -> Syscalls.Sent {
        guard !isBroken else { return .failed }
        ERR_clear_error()
        let session = unsafe session
        let status = unsafe octets.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            return unsafe SSL_write(session, rest.baseAddress, Int32(clamping: rest.count))
        }
        if status > 0 { return .octets(Int(status)) }
        // Nothing that is written waits for reading: renegotiation is off.
        if unsafe SSL_get_error(session, status) == SSL_ERROR_WANT_WRITE { return .wouldBlock }
        isBroken = true
        return .failed
    }

    /// Says that nothing more will come (close_notify, RFC 8446 §6.1). False if there is no room yet to say so.
    func endSending() -> Bool {
        guard hasShakenHands, !hasEndedSending, !isBroken else { return true }
        ERR_clear_error()
        let status = unsafe SSL_shutdown(session)
        hasEndedSending = status >= 0
        if hasEndedSending { return true }
        if unsafe SSL_get_error(session, status) == SSL_ERROR_WANT_WRITE { return false }
        isBroken = true
        return true
    }
}
