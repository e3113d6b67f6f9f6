/// How a connection's octets travel: as they are, or through TLS.
enum Transport {
    case plain(Int32)
    case secure(TLSSession)

    /// Receives into `buffer`, which is filled if that much has come.
    func receive(into buffer: inout [UInt8]) -> Syscalls.Received {
        switch self {
        case .plain(let socket): Syscalls.receive(socket, into: &buffer)
        case .secure(let session): session.receive(into: &buffer)
        }
    }

    /// Looks whether there is something to receive, without taking it.
    func peek() -> Syscalls.Received {
        switch self {
        case .plain(let socket): Syscalls.peek(socket)
        case .secure(let session): session.peek()
        }
    }

    /// Something may have come of which the watch over the socket knows nothing.
    var hasUnread: Bool {
        switch self {
        case .plain: false
        case .secure(let session): session.hasUnread
        }
    }

    /// Receiving can go on only when something could be sent.
    var wantsWriting: Bool {
        switch self {
        case .plain: false
        case .secure(let session): session.wantsWriting
        }
    }

    /// Sends `octets` from `start` on, as many as there is room for.
    /// - Parameter more: Whether more follows at once, so that no packet need leave yet.
    func send(_ octets: [UInt8], from start: Int, more: Bool) -> Syscalls.Sent {
        switch self {
        case .plain(let socket): Syscalls.send(socket, octets, from: start, more: more)
        case .secure(let session): session.send(octets, from: start)
        }
    }

    /// Has the system hold little that the client does not take, so that one that reads nothing is soon found out.
    func keepLittleUnsent() {
        switch self {
        case .plain(let socket): Syscalls.keepLittleUnsent(socket)
        case .secure(let session): Syscalls.keepLittleUnsent(session.socket)
        }
    }

    /// Ends our side of the connection; what was sent still arrives. False if that has to be tried again when there is room to send.
    func endSending() -> Bool {
        switch self {
        case .plain(let socket):
            Syscalls.endSending(socket)
            return true
        case .secure(let session):
            guard session.endSending() else { return false }
            Syscalls.endSending(session.socket)
            return true
        }
    }
}
