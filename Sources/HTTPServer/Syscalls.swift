internal import Glibc

/// The system calls of the server; the only file that knows Glibc. Every call is non-blocking or instant, and retries EINTR.
enum Syscalls {
    struct Failure: Error, Equatable, CustomStringConvertible {
        var call: String
        var code: Int32

        var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }
    }

    enum Transfer: Equatable {
        case bytes(Int)
        /// Nothing can be taken or given now.
        case wouldBlock
        case failed
    }

    private static func retrying(_ body: () -> Int) -> Int {
        while true {
            let result = body()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    private static func transfer(_ result: Int) -> Transfer {
        if result >= 0 { return .bytes(result) }
        return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed
    }

    /// Up to `maximum` bytes; an empty result with `.bytes(0)` is the end of the peer's stream.
    static func receive(_ socket: Int32, maximum: Int) -> (bytes: [UInt8], outcome: Transfer) {
        var outcome = Transfer.wouldBlock
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: maximum) { buffer, count in
            let received = retrying { unsafe recv(socket, buffer.baseAddress, maximum, 0) }
            outcome = transfer(received)
            if case .bytes(let received) = outcome { count = received }
        }
        return (bytes, outcome)
    }

    /// Sends what the kernel takes of `bytes` from `start`. `more`: hold back a part of a packet, as more follows at once.
    static func send(_ socket: Int32, _ bytes: [UInt8], from start: Int, more: Bool) -> Transfer {
        unsafe bytes.withUnsafeBytes { buffer in
            let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
            let sent = retrying { unsafe Glibc.send(socket, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start, flags) }
            return transfer(sent)
        }
    }

    static func shutdownWriting(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_WR)) }

    static func close(_ socket: Int32) { _ = Glibc.close(socket) }

    /// Seconds of a clock that never goes back.
    static var monotonicSeconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Seconds since 1970.
    static var wallClockSeconds: Int { time(nil) }

    // MARK: Listening

    /// A bound, listening, non-blocking socket on the first address of `host` that works, and the port it got.
    static func listen(host: String, port: Int) throws(Failure) -> (socket: Int32, port: Int) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw Failure(call: "no address for host \(host)", code: code == EAI_SYSTEM ? errno : ENOENT) }
        defer { unsafe freeaddrinfo(list) }
        var failure = Failure(call: "bind", code: EADDRNOTAVAIL)
        var candidate = unsafe list
        while let address = unsafe candidate {
            do { return unsafe try listen(address.pointee) } catch { failure = error }
            unsafe candidate = address.pointee.ai_next
        }
        throw failure
    }

    private static func listen(_ address: addrinfo) throws(Failure) -> (socket: Int32, port: Int) {
        let kind = unsafe address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let listener = unsafe socket(address.ai_family, kind, 0)
        guard listener >= 0 else { throw Failure(call: "socket", code: errno) }
        setOption(listener, SOL_SOCKET, SO_REUSEADDR)
        guard unsafe bind(listener, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(listener, 1024) == 0 else {
            defer { close(listener) }
            throw Failure(call: "bind", code: errno)
        }
        return (listener, localPort(listener))
    }

    private static func setOption(_ socket: Int32, _ level: Int32, _ name: Int32) {
        var on: Int32 = 1
        _ = unsafe setsockopt(socket, level, name, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func localPort(_ socket: Int32) -> Int {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe getsockname(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return numericName(&storage, size).port
    }

    enum Accepted {
        case connection(Int32, address: String)
        /// No connection waits.
        case none
        /// No descriptor or memory is left: try again when some connection has closed.
        case exhausted
    }

    static func accept(_ listener: Int32) -> Accepted {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let connection = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe Glibc.accept(listener, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        if connection >= 0 {
            // Glibc's module map leaves accept4 out.
            _ = fcntl(connection, F_SETFL, O_NONBLOCK)
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            setOption(connection, Int32(IPPROTO_TCP), TCP_NODELAY)
            return .connection(connection, address: numericName(&storage, size).address)
        }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
        case EAGAIN, EWOULDBLOCK: return .none
        // The peer has gone, or a signal came: the next one may be fine.
        default: return accept(listener)
        }
    }

    private static func numericName(_ storage: inout sockaddr_storage, _ size: socklen_t) -> (address: String, port: Int) {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let code = unsafe withUnsafeBytes(of: &storage) { bytes in
            unsafe getnameinfo(
                bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), size, &host, socklen_t(host.count), &service,
                socklen_t(service.count), NI_NUMERICHOST | NI_NUMERICSERV)
        }
        guard code == 0 else { return ("unknown", 0) }
        return (text(host), Int(text(service)) ?? 0)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
