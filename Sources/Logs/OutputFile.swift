internal import Glibc

/// A file that is written to without a buffer in between.
package struct OutputFile: Sendable {
    package static let standardOutput = OutputFile(descriptor: 1)
    package static let standardError = OutputFile(descriptor: 2)

    let descriptor: Int32

    package func write(_ text: String) { write(Array(text.utf8)) }

    /// Returns when all is written, or when the reader has gone.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&room, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
