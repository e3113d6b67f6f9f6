package import HTTP1

/// Settings of the server, with defaults that suit the internet.
package struct HTTPServerConfiguration: Sendable {
    /// A name or numeric address to listen on.
    package var host = "127.0.0.1"
    /// 0 picks a free port.
    package var port = 8080
    /// Event loops; one a core is right.
    package var loops = 2
    package var limits = HTTPLimits()
    /// Seconds that a connection may wait for its next request.
    package var idleTimeout = 75.0
    /// Seconds from the first octet of a request to the end of its header section.
    package var headerTimeout = 10.0
    /// Seconds without progress in which a body, or the client's reading of an answer, is given up.
    package var stallTimeout = 30.0
    /// Bytes of an unwanted body that are read and thrown away to keep the connection.
    package var drainBytes = 256 * 1024
    /// Seconds that a request goes on after its client has closed its side, as such a client may still read the answer.
    package var halfCloseGrace = 1.0

    package init() {}
}
