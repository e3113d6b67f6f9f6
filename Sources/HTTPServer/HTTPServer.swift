import Dispatch
package import HTTP1
import HTTPTypes
import Locks
import Synchronization

/// A running server. It serves from `start` until `shutdown` has returned.
package final class HTTPServer: Sendable {
    /// Where it listens; with the port that the system chose, if it was left to it.
    package let address: BoundAddress

    private let loops: [EventLoop]
    private let listener: Listener
    /// Entered once for every open connection.
    private let connections: DispatchGroup

    /// Binds, listens, and serves from now on.
    package static func start(
        _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(), responder: any HTTPResponder
    ) throws(HTTPServerError) -> HTTPServer {
        let descriptors = Syscalls.raiseDescriptorLimit()
        if configuration.tls != nil { Syscalls.ignorePipeSignals() }
        let count = max(1, configuration.eventLoops ?? Syscalls.processorCount())
        let (socket, address) = try Syscalls.listen(host: configuration.host, port: configuration.port, backlog: configuration.backlog)
        var loops: [EventLoop] = []
        for number in 0..<count { loops.append(try EventLoop(label: "http.loop.\(number)", configuration: configuration)) }
        let shares = DescriptorShares(limit: descriptors, open: Syscalls.openDescriptors() + 1, wanted: configuration.maximumConnections)
        return HTTPServer(
            socket: socket, address: address, loops: loops, configuration: configuration, shares: shares, responder: responder)
    }

    private init(
        socket: Int32, address: BoundAddress, loops: [EventLoop], configuration: HTTPServerConfiguration, shares: DescriptorShares,
        responder: any HTTPResponder
    ) {
        let encoder = ResponseHeadEncoder(serverName: configuration.serverName)
        let connections = DispatchGroup()
        let turn = Atomic(0)
        self.address = address
        self.loops = loops
        self.connections = connections
        let counters = configuration.counters
        let census = ConnectionCensus(
            most: shares.connections, mostByNetwork: configuration.maximumConnectionsPerAddress, mostRefused: shares.refusals)
        let refusalText: @Sendable (ServerStatistics.Refusal, PeerAddress) -> [UInt8]? = { reason, peer in
            counters.count(reason)
            return configuration.tls == nil ? Self.refusal(reason, of: peer, responder, encoder) : nil
        }
        listener = Listener(socket: socket) { @Sendable peer in
            refusalText(.resources, peer)
        } accepted: { @Sendable socket, peer in
            let refusal: ServerStatistics.Refusal?
            switch census.enter(peer.network) {
            case .served:
                refusal = nil
                counters.countAccepted()
            case .refused(let reason):
                refusal = reason
                counters.count(reason)
            case .dropped(.addressLimit):
                // One client that opens so many costs the others no time.
                counters.count(.addressLimit)
                return Syscalls.refuse(socket, with: nil)
            case .dropped(let reason):
                return Syscalls.refuse(socket, with: refusalText(reason, peer))
            }
            connections.enter()
            let number = turn.wrappingAdd(1, ordering: .relaxed).oldValue
            HTTPConnection(
                id: UInt64(number), socket: socket, peer: peer.host, refusal: refusal, loop: loops[number % loops.count], responder: responder,
                configuration: configuration, encoder: encoder,
                onClosed: { @Sendable in
                    if refusal == nil { counters.countClosed() }
                    census.leave(peer.network, wasServed: refusal == nil)
                    connections.leave()
                }
            ).start()
        }
        listener.start()
    }

    /// The octets of an answer that says why a connection is not served.
    private static func refusal(
        _ reason: ServerStatistics.Refusal, of peer: PeerAddress, _ responder: any HTTPResponder, _ encoder: ResponseHeadEncoder
    ) -> [UInt8] {
        var response = responder.answer(to: .serviceUnavailable(reason.explanation, "RFC 9110 §15.6.4"), nil, from: peer.host)
        response.headerFields[.retryAfter] = "1"
        let context = ResponseContext(method: nil, version: .http11, keepsAlive: false)
        let date = IMFFixdate.format(secondsSince1970: Syscalls.secondsSince1970())
        var octets: [UInt8] = []
        _ = encoder.encode(response, framing: ResponseFraming(response, context), version: .http11, date: date, into: &octets)
        if case .bytes(let content) = response.body { octets += content }
        return octets
    }

    /// Connections that are open now.
    package var connectionCount: Int { loops.reduce(0) { $0 + $1.all.count } }

    /// Stops accepting, lets the requests that have begun be answered with `Connection: close`, and returns when all connections are closed.
    /// - Parameter limit: After this the connections that are left are reset, and their tasks cancelled.
    package func shutdown(within limit: Duration) async {
        await listener.stop()
        // Connections that were accepted last are not open yet.
        for loop in loops { await loop.settle() }
        for connection in loops.flatMap(\.all) { await connection.drain() }
        if await !haveClosed(within: limit) {
            for connection in loops.flatMap(\.all) { await connection.close(byReset: true) }
            _ = await haveClosed(within: .seconds(1))
        }
        for loop in loops { loop.stop() }
    }

    private func haveClosed(within limit: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let waiting = Lock(Optional(continuation))
            let answer: @Sendable (Bool) -> Void = { hasClosed in
                let continuation = waiting.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }
                continuation?.resume(returning: hasClosed)
            }
            connections.notify(queue: .global()) { @Sendable in answer(true) }
            DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { @Sendable in answer(false) }
        }
    }
}
