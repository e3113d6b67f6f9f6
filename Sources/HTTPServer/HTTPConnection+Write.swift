internal import Dispatch

extension HTTPConnection {
    /// Sends as much as the kernel takes now and keeps the rest for later.
    func enqueue(_ bytes: [UInt8], more: Bool) {
        guard state != .closed, !bytes.isEmpty else { return }
        outgoing.append(bytes)
        if outgoing.count == 1 { sendAvailable(more: more) }
    }

    /// Waits until everything has been taken; false if the connection has ended.
    func flush() async -> Bool {
        if state == .closed { return false }
        if outgoing.isEmpty { return true }
        return await withCheckedContinuation { waitingForWrite = $0 }
    }

    private func sendAvailable(more: Bool) {
        while let first = outgoing.first {
            switch Syscalls.send(socket, first, from: outgoingOffset, more: more || outgoing.count > 1) {
            case .bytes(let sent):
                outgoingOffset += sent
                if outgoingOffset == first.count {
                    outgoing.removeFirst()
                    outgoingOffset = 0
                }
            case .wouldBlock:
                deadline = Syscalls.monotonicSeconds + configuration.stallTimeout
                return resumeWriter()
            case .failed:
                return close()
            }
        }
        deadline = .infinity
        suspendWriter()
        waitingForWrite?.resume(returning: true)
        waitingForWrite = nil
    }

    private func resumeWriter() {
        guard writerIsSuspended else { return }
        let writer = self.writer ?? makeWriter()
        writerIsSuspended = false
        writer.resume()
    }

    private func suspendWriter() {
        guard !writerIsSuspended else { return }
        writerIsSuspended = true
        writer?.suspend()
    }

    private func makeWriter() -> any DispatchSourceWrite {
        let writer = DispatchSource.makeWriteSource(fileDescriptor: socket, queue: queue)
        writer.setEventHandler { @Sendable [weak self] in
            self?.assumeIsolated { connection in
                if connection.state != .closed { connection.sendAvailable(more: false) }
            }
        }
        self.writer = writer
        return writer
    }

    /// Drops what has not been sent and ends the source.
    func endWriting() {
        outgoing = []
        outgoingOffset = 0
        waitingForWrite?.resume(returning: false)
        waitingForWrite = nil
        // A suspended source must be resumed before it is released.
        if writerIsSuspended { writer?.resume() }
        writerIsSuspended = true
        writer?.cancel()
        writer = nil
    }
}
