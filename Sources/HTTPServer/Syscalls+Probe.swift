private import COpenSSL
private import Glibc

extension Syscalls {
    /// Asks a server on this machine by one `GET` and reads the beginning of its answer, all within `seconds`; nil if there is none.
    static func probe(host: String, port: UInt16, overTLS: Bool, request: [UInt8], seconds: Int) -> [UInt8]? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0 else { return nil }
        defer { unsafe freeaddrinfo(found) }
        var next = unsafe found
        while let info = unsafe next?.pointee {
            unsafe next = info.ai_next
            let client = unsafe socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
            guard client >= 0 else { continue }
            defer { close(client) }
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                _ = unsafe setsockopt(client, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
            guard unsafe connect(client, info.ai_addr, info.ai_addrlen) == 0 else { continue }
            var answer = [UInt8](repeating: 0, count: 512)
            let count: Int
            if overTLS {
                count = Int(unsafe ntk_tls_ask(client, request, Int32(request.count), &answer, Int32(answer.count)))
            } else {
                guard case .octets(request.count) = send(client, request, from: 0, more: false),
                    case .octets(let received) = receive(client, into: &answer)
                else { continue }
                count = received
            }
            guard count > 0 else { continue }
            return Array(answer.prefix(count))
        }
        return nil
    }
}
