/// What a message may cost at most, before any handler has a say. Each limit is the largest value that is still accepted.
package struct HTTPLimits: Sendable, Equatable {
    /// Octets of the request line without its CRLF; a longer one is 414. RFC 9112 §3 asks for 8,000 at least.
    package var requestLineOctets: Int = 8_192
    /// Lines of the header section, and of a trailer section; more are 431.
    package var fieldCount: Int = 100
    /// Octets of all lines of the header section, and of a trailer section, without their CRLFs; more are 431.
    package var fieldOctets: Int = 32 * 1024
    /// Empty lines tolerated before a request line (RFC 9112 §2.2).
    package var leadingEmptyLines: Int = 2
    /// Octets of all chunk extensions of one request, from the end of the size to the CRLF.
    package var chunkExtensionOctets: Int = 4 * 1024
    /// Chunks of one request, without the last, empty one.
    package var chunkCount: Int = 65_536
    /// Octets reserved for a body on the word of its Content-Length alone, before any of it has come; more where room is rationed.
    package var bodyOctetsReservedUnseen: Int = 1024 * 1024
    /// Room that a body of unknown length begins with, where room is rationed.
    package var firstRoomOctets: Int = 64 * 1024
    /// Octets of capacity left behind the end of a body, for readers that look ahead in whole vectors.
    package var bodyPaddingOctets: Int = 64

    package init() {}
}
