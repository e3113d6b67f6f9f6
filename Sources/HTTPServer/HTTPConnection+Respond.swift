internal import HTTP1
internal import HTTPTypes

extension HTTPConnection {
    /// Has a request answered. The task starts here and now on the loop, so that a quick answer is sent without a hop.
    func respond(to request: ServerRequest, _ head: RequestHead) {
        state = .responding
        deadline = .infinity
        answering = Task.immediate {
            let answer = await responder.respond(to: request)
            guard state == .responding else { return }
            await send(answer, to: head, closing: !head.keepsAlive)
        }
    }

    /// Sends an answer that needs no responder.
    func respond(_ answer: ServerResponse, to head: RequestHead?, closing: Bool) {
        state = .responding
        deadline = .infinity
        answering = Task.immediate { await send(answer, to: head, closing: closing || !(head?.keepsAlive ?? false)) }
    }

    /// Writes the answer and decides how the connection goes on.
    private func send(_ answer: ServerResponse, to head: RequestHead?, closing: Bool) async {
        let version = head?.version ?? .http11
        let framing = Self.framing(answer, version: version)
        let closes = closing || mustClose || framing == .close
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        ResponseEncoder.encodeHead(
            answer.status, answer.headerFields, framing: framing, closes: closes, keepsAlive10: version == .http10, date: currentDate,
            into: &bytes)
        let hasContent = framing != .none && head?.request.method != .head
        switch answer.body {
        case .bytes(let content):
            if hasContent { bytes += content }
            enqueue(bytes, more: false)
        case .stream(_, let next):
            enqueue(bytes, more: hasContent)
            if hasContent, await !stream(next, framing: framing) { return close() }
        }
        guard await flush() else { return close() }
        closes ? linger() : continueReading()
    }

    private static func framing(_ answer: ServerResponse, version: HTTPVersion) -> ResponseFraming {
        if answer.status == .noContent || answer.status == .notModified || answer.status.code < 200 { return .none }
        switch answer.body {
        case .bytes(let content): return .length(content.count)
        case .stream(let length?, _): return .length(length)
        case .stream(nil, _): return version == .http11 ? .chunked : .close
        }
    }

    /// Sends chunks as they are made; the next one is asked for when the kernel has taken the one before. False if it was cut off.
    private func stream(_ next: @Sendable () async throws -> [UInt8]?, framing: ResponseFraming) async -> Bool {
        var left: Int? = if case .length(let length) = framing { length } else { nil }
        do {
            while let chunk = try await next() {
                guard state == .responding else { return false }
                if chunk.isEmpty { continue }
                if let promised = left {
                    // More than was promised would be read as the next answer.
                    guard chunk.count <= promised else { return false }
                    left = promised - chunk.count
                }
                if framing == .chunked {
                    enqueue(ResponseEncoder.chunkHead(size: chunk.count), more: true)
                    enqueue(chunk, more: true)
                    enqueue(ResponseEncoder.chunkEnd, more: false)
                } else {
                    enqueue(chunk, more: false)
                }
                guard await flush() else { return false }
            }
        } catch {
            return false
        }
        if framing == .chunked { enqueue(ResponseEncoder.lastChunk, more: false) }
        return left == nil || left == 0
    }

    /// `Date`, made anew once a second.
    private var currentDate: String {
        let second = Syscalls.wallClockSeconds
        if date.second != second { date = (second, IMFFixdate(seconds: second).text) }
        return date.text
    }
}
