import Dispatch
import DispatchExecutor
import HTTP1
import Synchronization

/// One serial queue that many connections share, with what they have in common: the receive buffer, the date, and the watch over their deadlines.
/// The locks are never contended, as only the loop's own queue takes them while it serves.
final class EventLoop: Sendable {
    private struct Connections {
        var all: [ObjectIdentifier: HTTPConnection] = [:]
        var isTicking = false
    }

    let executor: DispatchExecutor
    private let buffer: Mutex<[UInt8]>
    private let bufferOctets: Int
    private let date = Mutex((second: Int.min, text: [UInt8]()))
    private let connections = Mutex(Connections())
    private let tick: Duration

    init(label: String, configuration: HTTPServerConfiguration) {
        executor = DispatchExecutor(label: label)
        bufferOctets = configuration.receiveOctets
        buffer = Mutex([])
        let shortest = min(
            configuration.idleTimeout, configuration.headerTimeout, configuration.bodyTimeout, configuration.writeTimeout,
            configuration.lingerTimeout)
        tick = min(max(shortest / 4, .milliseconds(10)), .seconds(1))
    }

    /// Lends the receive buffer: one `receive` and its use later it should be given back, before the next suspension.
    func takeBuffer() -> [UInt8] {
        let lent = buffer.withLock { buffer in
            var lent: [UInt8] = []
            swap(&buffer, &lent)
            return lent
        }
        return lent.isEmpty ? [UInt8](repeating: 0, count: bufferOctets) : lent
    }

    func giveBack(_ lent: consuming [UInt8]) {
        let lent = lent
        buffer.withLock { $0 = lent }
    }

    /// The time as `Date` has it, made anew each second.
    func dateText() -> [UInt8] {
        let second = Syscalls.secondsSince1970()
        return date.withLock { date in
            if date.second != second {
                date = (second, IMFFixdate.format(secondsSince1970: second))
            }
            return date.text
        }
    }

    var all: [HTTPConnection] { connections.withLock { Array($0.all.values) } }

    func add(_ connection: HTTPConnection) {
        let mustTick = connections.withLock { connections in
            connections.all[ObjectIdentifier(connection)] = connection
            defer { connections.isTicking = true }
            return !connections.isTicking
        }
        if mustTick { scheduleTick() }
    }

    func remove(_ connection: HTTPConnection) {
        connections.withLock { _ = $0.all.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// One coarse timer for all deadlines of the loop: far cheaper than a timer for every wait. It rests while there is no connection.
    private func scheduleTick() {
        executor.queue.asyncAfter(deadline: .now() + tick.inSeconds) { @Sendable in
            let now = ContinuousClock.now
            for connection in self.all {
                connection.assumeIsolated { $0.expire(now) }
            }
            let goesOn = self.connections.withLock { connections in
                connections.isTicking = !connections.all.isEmpty
                return connections.isTicking
            }
            if goesOn { self.scheduleTick() }
        }
    }
}

extension Duration {
    /// Enough for timers.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
