import Glibc
import HTTPServer

/// A client on a blocking socket, with a queue of its own, so that it never blocks the threads that the server needs.
actor TestClient {
    struct Response: Equatable, Sendable {
        var status = 0
        var fields: [String: String] = [:]
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    enum Failure: Error {
        case connect(Int32)
        case ended
        case timedOut
        case reset
        case malformed(String)
    }

    private let executor = DispatchExecutor(label: "test.client")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private let descriptor: Int32
    private var received: [UInt8] = []
    private var isClosed = false

    /// Connects to the loopback, over IPv4.
    /// - Parameter receiveBuffer: Of the socket, if it is to be small.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var time = timeval(tv_sec: 120, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let error = errno
            _ = Glibc.close(descriptor)
            throw Failure.connect(error)
        }
    }

    deinit {
        if !isClosed { _ = Glibc.close(descriptor) }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) throws {
        var start = 0
        while start < octets.count {
            let count = unsafe octets.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, UnsafeRawBufferPointer(rebasing: buffer[start...]).baseAddress, octets.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw errno == EAGAIN ? Failure.timedOut : Failure.reset }
            start += count
        }
    }

    func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        _ = Glibc.close(descriptor)
    }

    /// Receives something more. False at the end.
    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw errno == EAGAIN ? Failure.timedOut : Failure.reset }
        received += buffer[..<count]
        return count > 0
    }

    private func need(_ count: Int) throws {
        while received.count < count {
            guard try receive() else { throw Failure.ended }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        try need(count)
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    private func line() throws -> String {
        var searched = 0
        while true {
            if let end = received[searched...].firstIndex(of: 0x0A) {
                guard end > 0, received[end - 1] == 0x0D else { throw Failure.malformed("bare LF") }
                let text = String(decoding: received[..<(end - 1)], as: UTF8.self)
                received.removeFirst(end + 1)
                return text
            }
            searched = received.count
            guard try receive() else { throw Failure.ended }
        }
    }

    /// Reads one response as RFC 9112 §6.3 says.
    func response(toHead: Bool = false) throws -> Response {
        var response = Response()
        let start = try line()
        guard start.hasPrefix("HTTP/1.1 "), let code = Int(start.dropFirst(9).prefix(3)) else { throw Failure.malformed(start) }
        response.status = code
        while case let field = try line(), !field.isEmpty {
            guard let colon = field.firstIndex(of: ":") else { throw Failure.malformed(field) }
            response.fields[field[..<colon].lowercased()] = String(field[colon...].dropFirst(2))
        }
        if toHead || code == 204 || code == 304 || code < 200 { return response }
        if response.fields["transfer-encoding"] == "chunked" {
            while let size = Int(try line(), radix: 16), size > 0 {
                response.body += try take(size)
                guard try take(2) == [13, 10] else { throw Failure.malformed("no CRLF behind a chunk") }
            }
            guard try line().isEmpty else { throw Failure.malformed("trailers") }
        } else if let length = response.fields["content-length"].flatMap({ Int($0) }) {
            response.body = try take(length)
        } else {
            response.body = try rest()
        }
        return response
    }

    /// Everything up to the end of the connection.
    func rest() throws -> [UInt8] {
        while try receive() {}
        defer { received = [] }
        return received
    }

    /// True if the connection ends now, with nothing more to read.
    func hasEnded() throws -> Bool { try rest().isEmpty }

    func get(_ path: String, _ fields: String...) throws -> Response {
        try send("GET \(path) HTTP/1.1\r\nHost: test\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return try response()
    }
}
