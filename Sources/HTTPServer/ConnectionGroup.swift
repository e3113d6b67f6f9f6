internal import Dispatch
internal import DispatchExecutor

/// The connections of one event loop, and the clock that ends those that have waited too long.
actor ConnectionGroup {
    let loop: EventLoop
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var timer: (any DispatchSourceTimer)?
    private var isDraining = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    var count: Int { connections.count }

    func start() {
        let timer = DispatchSource.makeTimerSource(queue: loop.queue)
        timer.schedule(deadline: .now() + 0.5, repeating: 0.5, leeway: .milliseconds(100))
        timer.setEventHandler { @Sendable [weak self] in self?.assumeIsolated { $0.tick() } }
        self.timer = timer
        timer.resume()
    }

    func add(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = connection
        let isDraining = isDraining
        connection.assumeIsolated { connection in
            connection.start()
            if isDraining { connection.drain() }
        }
    }

    func remove(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = nil }

    func drain() {
        isDraining = true
        for connection in connections.values { connection.assumeIsolated { $0.drain() } }
    }

    func stop() {
        timer?.cancel()
        timer = nil
        for connection in connections.values { connection.assumeIsolated { $0.close() } }
    }

    private func tick() {
        let now = Syscalls.monotonicSeconds
        for connection in connections.values { connection.assumeIsolated { $0.checkDeadline(now) } }
    }
}
