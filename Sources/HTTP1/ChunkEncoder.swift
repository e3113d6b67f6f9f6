/// Writes the frame around a chunk (RFC 9112 §7.1).
package enum ChunkEncoder {
    package static let last = Array("0\r\n\r\n".utf8)
    package static let end = Array("\r\n".utf8)

    /// Appends the size line of a chunk of `count` octets, which must not be zero: that would be the last chunk.
    package static func appendSizeLine(_ count: Int, to out: inout [UInt8]) {
        let digits = max(1, (67 - count.leadingZeroBitCount) / 4)
        for place in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: count >> place) & 15
            out.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        out.append(Octet.carriageReturn)
        out.append(Octet.lineFeed)
    }
}
