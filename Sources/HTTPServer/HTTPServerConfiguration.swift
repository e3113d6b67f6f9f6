package import HTTP1

/// Everything about the server that can be chosen, with what is chosen if nothing is said.
package struct HTTPServerConfiguration: Sendable {
    /// A name or a numeric address. `::` also serves IPv4.
    package var host = "127.0.0.1"
    /// Zero lets the system choose.
    package var port: UInt16 = 0
    /// Connections that may wait to be accepted.
    package var backlog: Int32 = 1024
    /// Threads that share the connections; nil for as many as there are cores.
    package var eventLoops: Int?
    /// The product's name in `Server`, or nil for none.
    package var serverName: String? = "ntk-server"
    package var limits = HTTPLimits()
    /// What the server counts, for monitoring.
    package var counters = ServerCounters()

    /// From which connections take what bodies of requests need; nil to read them without asking.
    package var bodyMemory: (any BodyMemory)?
    /// Nil to serve in the clear.
    package var tls: TLSContext?
    /// Connections that are open at once; one more is refused with 503. Zero for as many as there are descriptors.
    package var maximumConnections = 0
    /// Connections from one IPv4 address, or from the 64 bits of IPv6 that one client has for itself. Zero for no limit.
    package var maximumConnectionsPerAddress = 0

    /// How long a TLS handshake may take.
    package var handshakeTimeout = Duration.seconds(10)
    /// How long a connection may stay without a request.
    package var idleTimeout = Duration.seconds(75)
    /// How long a header section may take from its first octet to its last.
    package var headerTimeout = Duration.seconds(10)
    /// How long a body may make no progress, and how far it may fall behind `bodyRate`.
    package var bodyTimeout = Duration.seconds(30)
    /// Octets a second that a body must bring in the long run; zero for any, whatever its length.
    package var bodyRate = 500
    /// In what time a body must come as a whole, by its Content-Length: it holds memory for all of it.
    package var longestBody = Duration.seconds(3_600)
    /// How long a client may take nothing of an answer, and how far it may fall behind `answerRate`.
    package var writeTimeout = Duration.seconds(60)
    /// Octets a second of an answer that a client must take in the long run; zero for any.
    package var answerRate = 500
    /// How long a client may be silent after the last answer while its bytes are still taken and dropped, so that a reset does not overtake the
    /// answer (RFC 9112 §9.6): many read it only when they have sent their whole body.
    package var lingerTimeout = Duration.seconds(2)
    /// How long its bytes are dropped in all.
    package var longestLinger = Duration.seconds(30)

    /// How long connections without a request are kept while the server ends: a client that is about to send one should find it answered.
    package var drainIdleTimeout = Duration.seconds(1)

    /// Octets of an unread body that are skipped to keep the connection; a longer rest closes it.
    package var skippedBodyOctets = 256 * 1024
    /// Octets dropped at most while lingering.
    package var lingerOctets = 2 << 30
    /// Octets taken from a socket at once, in a buffer that the connections of a loop share.
    package var receiveOctets = 256 * 1024
    /// How long a loop looks for the next event before it sleeps: waking a core that sleeps takes longer than most requests, above all in a
    /// virtual machine. It gives way to other threads meanwhile.
    package var wakefulness = Duration.microseconds(100)
    /// Content up to this size is copied behind its head, to leave in one piece.
    package var coalescedOctets = 16 * 1024

    package init() {}
}
