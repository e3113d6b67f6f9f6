private import Glibc

extension Syscalls {
    /// Descriptors that the process has open.
    static func openDescriptors() -> Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 16 }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // Without "." and "..", and that of the directory itself.
        return max(count - 3, 0)
    }

    /// A descriptor that holds a place and nothing else.
    static func openSpare() -> Int32? {
        let spare = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        return spare >= 0 ? spare : nil
    }

    /// Answers a connection that cannot be kept, and closes it.
    ///
    /// Its request is waited for a moment and read: what is still unread when a socket is closed becomes a reset, which can overtake the answer.
    static func refuse(_ socket: Int32, with answer: [UInt8]?) {
        if let answer {
            var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&watched, 1, 2)
            if case .octets = send(socket, answer, from: 0, more: false) { endSending(socket) }
            var unread = [UInt8](repeating: 0, count: 64 * 1024)
            while case .octets = receive(socket, into: &unread) {}
        } else {
            resetOnClose(socket)
        }
        close(socket)
    }
}
