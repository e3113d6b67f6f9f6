import HTTP1
import HTTPTypes

extension HTTPConnection {
    /// Sends a whole answer. False if the connection must end.
    func send(_ response: ServerResponse, _ context: ResponseContext) async -> Bool {
        var response = response
        var framing = ResponseFraming(response, context)
        out.removeAll(keepingCapacity: true)
        if !encoder.encode(response, framing: framing, version: context.version, date: loop.dateText(), into: &out) {
            // Our own fault, and no head may leave that a client could read as two.
            response = ServerResponse(status: .internalServerError)
            framing = ResponseFraming(response, ResponseContext(method: context.method, version: context.version, keepsAlive: false))
            _ = encoder.encode(response, framing: framing, version: context.version, date: loop.dateText(), into: &out)
        }
        guard await sendContent(of: response, framing) else { return false }
        return !framing.closes
    }

    private func sendContent(of response: ServerResponse, _ framing: ResponseFraming) async -> Bool {
        guard framing.sendsContent else { return await write(out) }
        switch response.body {
        case .bytes(let bytes):
            if bytes.count <= configuration.coalescedOctets {
                out.append(contentsOf: bytes)
                return await write(out)
            }
            guard await write(out, more: true) else { return false }
            return await write(bytes)
        case .stream(_, let next):
            guard await write(out) else { return false }
            guard await stream(next, framing.length) else {
                if !isGone { Syscalls.resetOnClose(socket) }
                giveUp()
                return false
            }
            return true
        }
    }

    /// Sends chunk after chunk, asking for one only when the socket has taken the one before. False if the client must learn that the answer is cut.
    private func stream(_ next: @Sendable () async throws -> [UInt8]?, _ length: ResponseFraming.Length) async -> Bool {
        var sent = 0
        do {
            while let chunk = try await next() {
                if chunk.isEmpty { continue }
                sent += chunk.count
                let isWritten =
                    switch length {
                    case .chunked: await writeChunk(chunk)
                    case .known(let count): sent <= count ? await write(chunk) : false
                    case .untilClose, .absent: await write(chunk)
                    }
                guard isWritten else { return false }
            }
        } catch {
            return false
        }
        switch length {
        case .chunked: return await write(ChunkEncoder.last)
        case .known(let count): return sent == count
        case .untilClose, .absent: return true
        }
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

    /// Returns when the socket has taken everything. False if the connection is broken, or the client takes nothing for too long.
    func write(_ octets: [UInt8], more: Bool = false) async -> Bool {
        var start = 0
        while start < octets.count {
            guard !isGone else { return false }
            switch Syscalls.send(socket, octets, from: start, more: more) {
            case .octets(let count):
                start += count
            case .failed:
                giveUp()
                return false
            case .wouldBlock:
                guard await waitWritable(until: .now + configuration.writeTimeout) == .ready else {
                    giveUp()
                    return false
                }
            }
        }
        return true
    }
}
