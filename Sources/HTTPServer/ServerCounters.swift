package import HTTP1
import Locks
import Synchronization

/// Counts what happens to connections. Made before the server, so that what it answers with can show them; given to it by the configuration.
package final class ServerCounters: Sendable {
    private let accepted = Atomic(0)
    private let open = Atomic(0)
    private let received = Atomic(0)
    private let sent = Atomic(0)
    /// What happens seldom.
    private let seldom = Lock(ServerStatistics())

    package init() {}

    package var statistics: ServerStatistics {
        var statistics = seldom.withLock { $0 }
        statistics.acceptedConnections = accepted.load(ordering: .relaxed)
        statistics.openConnections = open.load(ordering: .relaxed)
        statistics.receivedOctets = received.load(ordering: .relaxed)
        statistics.sentOctets = sent.load(ordering: .relaxed)
        return statistics
    }

    func countAccepted() {
        accepted.wrappingAdd(1, ordering: .relaxed)
        open.wrappingAdd(1, ordering: .relaxed)
    }

    func countClosed() { open.wrappingSubtract(1, ordering: .relaxed) }
    func countReceived(_ octets: Int) { received.wrappingAdd(octets, ordering: .relaxed) }
    func countSent(_ octets: Int) { sent.wrappingAdd(octets, ordering: .relaxed) }
    func count(_ refusal: ServerStatistics.Refusal) { seldom.withLock { $0.refusedConnections[refusal, default: 0] += 1 } }
    func count(_ timeout: ServerStatistics.Timeout) { seldom.withLock { $0.timeouts[timeout, default: 0] += 1 } }

    func countHandshake(isResumed: Bool) {
        seldom.withLock {
            $0.handshakes += 1
            if isResumed { $0.resumedHandshakes += 1 }
        }
    }

    func countFailedHandshake() { seldom.withLock { $0.failedHandshakes += 1 } }
}
