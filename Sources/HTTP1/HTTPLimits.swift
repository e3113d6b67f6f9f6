/// What one message may cost. Each limit has the status that tells the client which one it met.
package struct HTTPLimits: Sendable {
    /// Octets of the request line without its CRLF; more is 414. RFC 9112 §3 asks for 8,000 at least.
    package var requestLineBytes = 16_384
    /// Octets of the method; more is 501 (RFC 9112 §3).
    package var methodBytes = 32
    /// Octets of all field lines together; more is 431.
    package var fieldBytes = 32_768
    /// Field lines, trailers included; more is 431.
    package var fieldCount = 100
    /// Octets of chunk extensions in one request; more is 400.
    package var chunkExtensionBytes = 4_096
    /// Chunks in one request; more is 413: a body in chunks of a few bytes costs more to read than it carries.
    package var chunkCount = 65_536
    /// Empty lines tolerated before a request line (RFC 9112 §2.2).
    package var leadingEmptyLines = 2
    /// Bytes reserved for a body on the word of its Content-Length alone; beyond, the buffer grows with what comes.
    package var reservedBodyBytes = 1 << 26
    /// Spare capacity beyond a body, for parsers that read in blocks.
    package var bodyPaddingBytes = 64

    package init() {}
}
