private import Glibc

/// The system calls of the server, with their retries and their errors sorted by what to do next. No other file speaks to the C library.
enum Syscalls {
    enum Received {
        case octets(Int)
        /// The peer will send nothing more.
        case end
        case wouldBlock
        /// The connection is broken.
        case failed
    }

    enum Sent {
        case octets(Int)
        case wouldBlock
        case failed
    }

    enum Accepted {
        case connection(socket: Int32, peer: PeerAddress)
        case wouldBlock
        /// This connection failed; the next may not.
        case retry
        /// There are no more descriptors or buffers.
        case exhausted
    }

    /// Lets another thread that wants this core have it.
    static func yield() { _ = sched_yield() }

    /// Receives into the whole of `buffer`.
    static func receive(_ socket: Int32, into buffer: inout [UInt8]) -> Received {
        received { unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) } }
    }

    /// Looks whether there is something to receive, without taking it.
    static func peek(_ socket: Int32) -> Received {
        var octet: UInt8 = 0
        return received { unsafe withUnsafeMutableBytes(of: &octet) { unsafe recv(socket, $0.baseAddress, 1, Int32(MSG_PEEK)) } }
    }

    private static func received(_ call: () -> Int) -> Received {
        while true {
            let count = call()
            if count > 0 { return .octets(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed
            }
        }
    }

    /// Sends `octets` from `start` on, as many as the socket takes. A broken connection raises no signal.
    /// - Parameter more: Whether more follows at once, so that the kernel need not send a packet yet.
    static func send(_ socket: Int32, _ octets: [UInt8], from start: Int, more: Bool) -> Sent {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        while true {
            let count = unsafe octets.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
                return unsafe Glibc.send(socket, rest.baseAddress, rest.count, flags)
            }
            if count >= 0 { return .octets(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed
            }
        }
    }

    /// What the system holds of an answer that the client's window has no room for. Without a bound it would hold megabytes for each client that
    /// reads slowly, and where all of the system's memory for TCP is used up, packets of all connections are dropped. What is in flight has its own
    /// measure, so that fast clients lose nothing.
    private static let unsentOctets: Int32 = 128 * 1024

    /// Takes one waiting connection: non-blocking, without Nagle's delay, closed on exec.
    static func accept(_ listener: Int32) -> Accepted {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let socket = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.accept(listener, $0, &length)
            }
        }
        guard socket >= 0 else {
            switch errno {
            case EAGAIN: return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // Also errors of the connection itself, which Linux reports here: ECONNABORTED, EPROTO, ENETDOWN …
            default: return .retry
            }
        }
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(socket, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, unsentOctets)
        return .connection(socket: socket, peer: PeerAddress(host: numericAddress(storage).host, network: network(storage)))
    }

    /// Ends our side of the connection; what was sent still arrives.
    static func endSending(_ socket: Int32) {
        _ = Glibc.shutdown(socket, Int32(SHUT_WR))
    }

    /// Makes the coming `close` a reset, so that the peer cannot take a cut answer for a whole one.
    static func resetOnClose(_ socket: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Bounds what the system holds of what was sent and not taken; it doubles the number for what it needs itself (socket(7)).
    static func keepLittleUnsent(_ socket: Int32) { set(socket, SOL_SOCKET, SO_SNDBUF, 8 * 1024) }

    static func close(_ socket: Int32) {
        _ = Glibc.close(socket)
    }

    /// The first octet that has come, which stays there; nil if there is none.
    static func firstOctet(_ socket: Int32) -> UInt8? {
        var octet: UInt8 = 0
        let count = unsafe withUnsafeMutableBytes(of: &octet) { unsafe recv(socket, $0.baseAddress, 1, Int32(MSG_PEEK)) }
        return count == 1 ? octet : nil
    }

    /// A broken connection must be an error of the call that meets it, not the end of the process.
    static func ignorePipeSignals() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Raises the number of descriptors that the process may have to what the system allows it.
    /// - Returns: That number.
    static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Why a file cannot be read, in the system's words; nil if it can.
    static func whyUnreadable(_ path: String) -> String? {
        unsafe access(path, R_OK) == 0 ? nil : unsafe String(cString: strerror(errno))
    }

    /// Opens a listening socket on the first address of `host` that takes one.
    static func listen(host: String, port: UInt16, backlog: Int32) throws(HTTPServerError) -> (socket: Int32, address: BoundAddress) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard status == 0 else {
            throw .cannotResolve(host: host, reason: unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(found) }
        var lastError = EADDRNOTAVAIL
        var next = unsafe found
        while let info = unsafe next?.pointee {
            unsafe next = info.ai_next
            let listener = unsafe socket(info.ai_family, info.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), info.ai_protocol)
            guard listener >= 0 else {
                lastError = errno
                continue
            }
            set(listener, SOL_SOCKET, SO_REUSEADDR, 1)
            if unsafe info.ai_family == AF_INET6 { set(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            if unsafe bind(listener, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(listener, backlog) == 0 {
                return (listener, localAddress(listener))
            }
            lastError = errno
            close(listener)
        }
        throw .cannotListen(host: host, port: port, reason: unsafe String(cString: strerror(lastError)))
    }

    private static func localAddress(_ socket: Int32) -> BoundAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(socket, $0, &length) }
        }
        return numericAddress(storage)
    }

    private static func numericAddress(_ storage: sockaddr_storage) -> BoundAddress {
        var storage = storage
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let length = socklen_t(storage.ss_family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        let status = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getnameinfo(
                    $0, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard status == 0 else { return BoundAddress(host: "", port: 0) }
        func text(_ characters: [CChar]) -> String {
            String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return BoundAddress(host: text(host), port: UInt16(text(port)) ?? 0)
    }

    private static func network(_ storage: sockaddr_storage) -> UInt64 {
        unsafe withUnsafePointer(to: storage) { pointer in
            guard storage.ss_family == AF_INET6 else {
                return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    unsafe UInt64(UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
                }
            }
            return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                var octets = unsafe address.pointee.sin6_addr
                return unsafe withUnsafeBytes(of: &octets) { octets in
                    let isMapped = unsafe octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
                    return unsafe (isMapped ? octets[12...] : octets[..<8]).reduce(0) { $0 << 8 | UInt64($1) }
                }
            }
        }
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whole seconds since 1970, from the clock that is cheap to read.
    static func secondsSince1970() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time.tv_sec
    }

    static func processorCount() -> Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }
}
