/// Asks a server on this machine how it is: what the health check of a container runs, where there is no other client.
package enum HealthProbe {
    /// The status of `GET path`, or nil if no answer came in time.
    /// - Parameters:
    ///   - host: Where the server listens; every address stands for this machine.
    ///   - overTLS: Whether it speaks TLS; its certificate is not looked at.
    package static func status(host: String, port: UInt16, path: String, overTLS: Bool = false, seconds: Int) -> Int? {
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        let authority = BoundAddress(host: host, port: port)
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\r\n".utf8)
        guard let answer = Syscalls.probe(host: host, port: port, overTLS: overTLS, request: request, seconds: seconds) else { return nil }
        // "HTTP/1.1 200 OK"
        let parts = answer.prefix { $0 != UInt8(ascii: "\r") }.split(separator: UInt8(ascii: " "))
        guard parts.count >= 2, parts[0].starts(with: "HTTP/1.".utf8) else { return nil }
        return Int(String(decoding: parts[1], as: UTF8.self))
    }
}
