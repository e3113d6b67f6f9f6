/// What a server has counted since it started. Octets are those of HTTP: what TLS adds is not counted.
package struct ServerStatistics: Sendable, Equatable {
    /// Why a connection was ended before it was served.
    package enum Refusal: String, Sendable, CaseIterable {
        /// As many were open as the server takes in all.
        case serverLimit = "server_limit"
        /// As many were open as it takes from one address.
        case addressLimit = "address_limit"
        /// The system had no room to watch it.
        case resources
    }

    /// What a client was too slow with.
    package enum Timeout: String, Sendable, CaseIterable {
        case handshake
        /// The next request: the quiet end of most connections.
        case idle
        case header
        case body
        /// Taking an answer.
        case answer
    }

    package var openConnections = 0
    package var acceptedConnections = 0
    package var refusedConnections: [Refusal: Int] = [:]
    package var timeouts: [Timeout: Int] = [:]
    package var receivedOctets = 0
    package var sentOctets = 0
    package var handshakes = 0
    /// Of the handshakes, those that took up an earlier session.
    package var resumedHandshakes = 0
    package var failedHandshakes = 0

    package init() {}
}
