internal import DispatchExecutor
package import HTTP1

/// An HTTP/1.1 server on its own sockets: one listener, and as many event loops as cores among which the connections are spread.
package actor HTTPServer {
    private let configuration: HTTPServerConfiguration
    private let responder: any HTTPResponder
    private let groups: [ConnectionGroup]
    private var listener: Listener?

    package init(configuration: HTTPServerConfiguration, responder: any HTTPResponder) {
        self.configuration = configuration
        self.responder = responder
        groups = (0..<max(configuration.loops, 1)).map { ConnectionGroup(loop: EventLoop(label: "http.\($0)")) }
    }

    /// Begins to listen, and returns the port.
    /// - Throws: an error whose description says which call failed and why.
    package func start() async throws -> Int {
        let (socket, port) = try Syscalls.listen(host: configuration.host, port: configuration.port)
        let listener = Listener(socket: socket, loop: groups[0].loop) { [groups, configuration, responder] socket, address, number in
            let group = groups[number % groups.count]
            let connection = HTTPConnection(socket: socket, address: address, group: group, configuration: configuration, responder: responder)
            Task { await group.add(connection) }
        }
        self.listener = listener
        for group in groups { await group.start() }
        await listener.start()
        return port
    }

    /// Connections that are open now.
    package var connectionCount: Int {
        get async {
            var count = 0
            for group in groups { count += await group.count }
            return count
        }
    }

    /// Stops listening, lets requests in flight be answered (with `Connection: close`), and returns when all connections have ended, or
    /// after `seconds`, when the rest are cut.
    package func shutdown(within seconds: Double) async {
        await listener?.stop()
        listener = nil
        for group in groups { await group.drain() }
        let end = Syscalls.monotonicSeconds + seconds
        while await connectionCount > 0, Syscalls.monotonicSeconds < end {
            try? await Task.sleep(for: .milliseconds(10))
        }
        for group in groups { await group.stop() }
    }
}
