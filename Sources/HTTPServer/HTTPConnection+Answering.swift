import HTTP1
import HTTPTypes

extension HTTPConnection {
    /// How long the requests that one client has sent ahead are answered before the other connections of the loop have their turn.
    private static let longestTurn = Duration.microseconds(500)

    /// Starts to answer, here and now: an answer that needs no wait is sent before this returns.
    func begin(_ exchange: Exchange) {
        phase = .answering
        awaited = .request
        deadline = nil
        loop.startNow { task = Task(executorPreference: loop) { await self.serve(exchange) } }
        // Most are done by now, and a connection that waits should hold little.
        if phase != .answering { task = nil }
    }

    /// Answers a message that breaks a rule, or did not come in time.
    func refuse(_ rejection: HTTPRejection, _ head: RequestHead? = nil) { begin(.message(.rejection(rejection, head))) }

    /// Answers one request, and those that were sent ahead of their turn, in order.
    private func serve(_ first: Exchange) async {
        var next: Exchange? = first
        var turn = ContinuousClock.now
        while let exchange = next {
            if ContinuousClock.now - turn > Self.longestTurn {
                await loop.settle()
                guard phase == .answering else { return }
                turn = .now
            }
            switch exchange {
            case .room(let octets):
                progress = .awaitingRoom
                next = await wait(forRoom: octets)
                progress = .none
            case .unsent:
                guard await write(out) else { return }
                next = nextExchange()
            case .message(let message):
                let (response, context) = await answer(to: message)
                let goesOn = await send(response, context)
                guard phase == .answering else { return }
                guard goesOn else { return linger() }
                next = nextExchange()
            }
            guard phase == .answering else { return }
        }
        if peerHasEnded { return close() }
        phase = .reading
        task = nil
        if !holdsAnswer { releaseOut() }
        awaitInput()
        watch(for: .reading, true)
        receiveUnread()
    }

    /// Waits for memory for more of the body. Nil if more must come, or the connection has closed.
    private func wait(forRoom octets: Int) async -> Exchange? {
        do throws(HTTPRejection) {
            if let bodyLease {
                guard try await bodyLease.grow(by: octets) else { return closed() }
                guard phase == .answering else { return nil }
                parser.giveRoom(octets)
            } else {
                guard let lease = try await configuration.bodyMemory?.reserve(octets, growth: bodyGrowth) else { return closed() }
                guard phase == .answering else { return nil }
                beginBody(lease, octets)
            }
            return nextExchange()
        } catch {
            return .message(.rejection(error, head))
        }
    }

    private func closed() -> Exchange? {
        close()
        return nil
    }

    /// The answer, and what decides its framing.
    private func answer(to message: Message) async -> (ServerResponse, ResponseContext) {
        switch message {
        case .request(let received):
            progress = .awaitingAnswer
            let response = await responder.respond(to: received.request)
            return (response, context(received.section, goesOn: received.section.keepsAlive))
        case .admission(let response, let head):
            return (response, context(head, goesOn: head.keepsAlive && skipBody(of: head)))
        case .rejection(let rejection, let head):
            dropBody()
            // Where the next message would start is not known any more.
            let context = ResponseContext(method: head?.request.method, version: head?.version ?? .http11, keepsAlive: false)
            var response = responder.answer(to: rejection, head?.request, from: peer)
            if rejection.status == .serviceUnavailable { response.headerFields[.retryAfter] = String(rejection.retryAfterSeconds ?? 1) }
            return (response, context)
        }
    }

    private func context(_ head: RequestHead, goesOn: Bool) -> ResponseContext {
        ResponseContext(method: head.request.method, version: head.version, keepsAlive: goesOn && !isDraining)
    }
}
