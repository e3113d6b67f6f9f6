internal import CSHA256

/// SHA-256 of a key. The server keeps no key, only this.
package struct KeyDigest: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// Of a key as the client sends it.
    package init(of key: String) {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        let octets = Array(key.utf8)
        _ = unsafe SHA256(octets, octets.count, &digest)
        bytes = digest
    }

    /// From 64 hexadecimal digits; nil if it is something else.
    package init?(hexadecimal text: String) {
        let digits = text.utf8.map { digit -> UInt8? in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x41...0x46: digit - 0x41 + 10
            case 0x61...0x66: digit - 0x61 + 10
            default: nil
            }
        }
        guard digits.count == 64, !digits.contains(nil) else { return nil }
        bytes = (0..<32).map { (digits[2 * $0] ?? 0) << 4 | (digits[2 * $0 + 1] ?? 0) }
    }

    /// Compares all bytes whatever the first ones are, so that the time tells nothing.
    package func equalsInConstantTime(_ other: KeyDigest) -> Bool {
        var difference: UInt8 = 0
        for index in 0..<32 { difference |= bytes[index] ^ other.bytes[index] }
        return difference == 0
    }

    package var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
