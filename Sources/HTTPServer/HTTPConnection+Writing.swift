import HTTP1
import HTTPTypes

extension HTTPConnection {
    /// Octets of an answer that a connection may send while others wait.
    private static let octetsPerTurn = 1 << 20

    /// Sends a whole answer. False if the connection must end.
    func send(_ response: ServerResponse, _ context: ResponseContext) async -> Bool {
        var response = response
        var framing = ResponseFraming(response, context)
        if !holdsAnswer { out.removeAll(keepingCapacity: true) }
        pace = Pace(slack: configuration.writeTimeout, rate: configuration.answerRate)
        unpaced = 0
        if !encoder.encode(response, framing: framing, version: context.version, date: loop.dateText(), into: &out) {
            // Our own fault, and no head may leave that a client could read as two.
            response = ServerResponse(status: .internalServerError)
            framing = ResponseFraming(response, ResponseContext(method: context.method, version: context.version, keepsAlive: false))
            _ = encoder.encode(response, framing: framing, version: context.version, date: loop.dateText(), into: &out)
        }
        out.removeFirst(octetsSentAhead)
        octetsSentAhead = 0
        progress = .begun
        if response.isEventStream {
            transport.keepLittleUnsent()
            progress = .followingEvents(isChunked: framing.length == .chunked)
        }
        defer { progress = .none }
        guard await sendContent(of: response, framing) else { return false }
        return !framing.closes
    }

    private func sendContent(of response: ServerResponse, _ framing: ResponseFraming) async -> Bool {
        guard framing.sendsContent else { return await sendOut(framing) }
        switch response.body {
        case .bytes(let bytes):
            if bytes.count <= configuration.coalescedOctets {
                out.append(contentsOf: bytes)
                return await sendOut(framing)
            }
            guard await write(out, more: true) else { return false }
            return await write(bytes)
        case .stream(_, let next):
            return await stream(framing.length, next)
        case .pieces(_, let next):
            var unshared = 0
            return await stream(framing.length) {
                // The socket of a client that keeps up takes all of them: the other connections of the loop have their turn now and then.
                if unshared >= Self.octetsPerTurn {
                    unshared = 0
                    await loop.settle()
                }
                let piece = try next()
                unshared += piece?.count ?? 0
                return piece
            }
        }
    }

    /// Sends head and content. False if the connection must end.
    private func stream(_ length: ResponseFraming.Length, _ next: () async throws -> [UInt8]?) async -> Bool {
        guard await write(out) else { return false }
        guard await sendChunks(length, next) else {
            close(byReset: true)
            return false
        }
        return true
    }

    /// Sends chunk after chunk, asking for one only when the socket has taken the one before. False if the client must learn that the answer is cut.
    private func sendChunks(_ length: ResponseFraming.Length, _ next: () async throws -> [UInt8]?) async -> Bool {
        var left: Int? = if case .known(let count) = length { count } else { nil }
        do {
            while let chunk = try await next() {
                if chunk.isEmpty { continue }
                if let promised = left {
                    // More than was promised would be read as the next answer.
                    guard chunk.count <= promised else { return false }
                    left = promised - chunk.count
                }
                guard await length == .chunked ? writeChunk(chunk) : write(chunk) else { return false }
            }
        } catch {
            return false
        }
        if length == .chunked { return await write(ChunkEncoder.last) }
        return left == nil || left == 0
    }

    private func writeChunk(_ chunk: [UInt8]) async -> Bool {
        out.removeAll(keepingCapacity: true)
        ChunkEncoder.appendSizeLine(chunk.count, to: &out)
        if chunk.count <= configuration.coalescedOctets {
            out.append(contentsOf: chunk)
            out.append(contentsOf: ChunkEncoder.end)
            return await write(out)
        }
        guard await write(out, more: true), await write(chunk, more: true) else { return false }
        return await write(ChunkEncoder.end)
    }

    /// Sends a whole answer that stands in `out`: at the end of the loop's turn, where nothing else is to be done for this client.
    private func sendOut(_ framing: ResponseFraming) async -> Bool {
        guard !framing.closes, !peerHasEnded, window.isEmpty, !transport.hasUnread else { return await write(out) }
        if !holdsAnswer { loop.sendAtEndOfTurn(self) }
        holdsAnswer = true
        return true
    }

    /// Sends the answer that was held. What there is no room for is sent as any other, or before the next one.
    func sendHeldAnswer() {
        guard holdsAnswer else { return }
        guard sendWhatIsHeld() else { return close() }
        switch phase {
        case .reading where !out.isEmpty: begin(.unsent)
        case .answering: holdsAnswer = !out.isEmpty
        default: releaseOut()
        }
    }

    /// Sends what there is room for of an answer that is held, which leaves the rest in `out`. False if the connection is broken.
    func sendWhatIsHeld() -> Bool {
        guard holdsAnswer else { return true }
        holdsAnswer = false
        switch transport.send(out, from: 0, more: false) {
        case .octets(let count):
            configuration.counters.countSent(count)
            out.removeFirst(count)
        case .wouldBlock: break
        case .failed: return false
        }
        return true
    }

    /// A connection that waits should hold little.
    func releaseOut() {
        if out.capacity > 1_024 { out = [] }
    }

    /// Returns when the socket has taken everything. False if the connection is broken, or the client takes nothing for too long.
    func write(_ octets: [UInt8], more: Bool = false) async -> Bool {
        // Whatever is written stands behind the answer in `out`, or is that.
        holdsAnswer = false
        var start = 0
        while start < octets.count {
            guard phase == .answering else { return false }
            switch transport.send(octets, from: start, more: more) {
            case .octets(let count):
                configuration.counters.countSent(count)
                start += count
                unpaced += count
            case .failed:
                close()
                return false
            case .wouldBlock:
                // Only the time that is spent waiting for the client counts.
                let now = ContinuousClock.now
                pace.progress(unpaced, in: .zero)
                unpaced = 0
                deadline = pace.deadline(from: now)
                watch(for: .writing, true)
                guard await withCheckedContinuation({ writer = $0 }) else {
                    close(byReset: true)
                    return false
                }
                pace.progress(0, in: .now - now)
            }
        }
        return true
    }

    func resumeWriter(canWrite: Bool) {
        guard let writer else { return }
        self.writer = nil
        deadline = nil
        watch(for: .writing, false)
        writer.resume(returning: canWrite)
    }
}
