import HTTP1
import HTTPServer
import Metrics

/// Shows what the server has counted of its connections.
enum ConnectionMetrics {
    static func register(_ counters: ServerCounters, in registry: MetricRegistry) {
        registry.observed("ntk_connections", "Connections that are open.", .gauge) { Double(counters.statistics.openConnections) }
        registry.observed("ntk_connections_accepted_total", "Connections accepted.", .counter) {
            Double(counters.statistics.acceptedConnections)
        }
        registry.observed(
            "ntk_connections_refused_total", "Connections ended before they were served, by the reason.", .counter, by: "reason"
        ) {
            let refused = counters.statistics.refusedConnections
            return ServerStatistics.Refusal.allCases.map { (LabelValue($0), refused[$0] ?? 0) }
        }
        registry.observed(
            "ntk_connection_timeouts_total", "Connections whose client was too slow, by what was awaited.", .counter, by: "awaited"
        ) {
            let timeouts = counters.statistics.timeouts
            return ServerStatistics.Timeout.allCases.map { (LabelValue($0), timeouts[$0] ?? 0) }
        }
        registry.observed("ntk_network_received_bytes_total", "Bytes received, without those of TLS.", .counter) {
            Double(counters.statistics.receivedOctets)
        }
        registry.observed("ntk_network_sent_bytes_total", "Bytes sent, without those of TLS.", .counter) {
            Double(counters.statistics.sentOctets)
        }
        registry.observed("ntk_tls_handshakes_total", "TLS handshakes that succeeded.", .counter) { Double(counters.statistics.handshakes) }
        registry.observed("ntk_tls_handshakes_resumed_total", "TLS handshakes that took up an earlier session.", .counter) {
            Double(counters.statistics.resumedHandshakes)
        }
        registry.observed("ntk_tls_handshake_failures_total", "TLS handshakes that failed.", .counter) {
            Double(counters.statistics.failedHandshakes)
        }
    }
}
