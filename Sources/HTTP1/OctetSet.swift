/// A set of ASCII octets. No octet above 127 is ever a member.
struct OctetSet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ members: StaticString) {
        members.withUTF8Buffer { buffer in
            for index in 0..<buffer.count { unsafe insert(buffer[index]) }
        }
    }

    private mutating func insert(_ octet: UInt8) {
        if octet < 64 {
            low |= 1 << UInt64(octet)
        } else if octet < 128 {
            high |= 1 << UInt64(octet - 64)
        }
    }

    func union(_ other: OctetSet) -> OctetSet {
        var result = self
        result.low |= other.low
        result.high |= other.high
        return result
    }

    @inline(__always)
    func contains(_ octet: UInt8) -> Bool {
        let word = octet < 64 ? low : high
        return octet < 128 && (word >> UInt64(octet & 63)) & 1 == 1
    }
}

extension OctetSet {
    static let alphanumeric = OctetSet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    /// `tchar` (RFC 9110 §5.6.2).
    static let token = alphanumeric.union(OctetSet("!#$%&'*+-.^_`|~"))
    /// `reg-name` without percent-encoding, and without the comma that RFC 3986 §3.2.2 allows: it would let two hosts pass for one.
    static let registeredName = alphanumeric.union(OctetSet("-._~!$&'()*+;="))
    /// The inside of an `IP-literal` (RFC 3986 §3.2.2).
    static let addressLiteral = alphanumeric.union(OctetSet("-._~!$&'()*+;=:"))
    /// Paths and queries without percent-encoding: `pchar`, "/" and "?" (RFC 3986 §3.3, §3.4).
    static let pathAndQuery = alphanumeric.union(OctetSet("-._~!$&'()*+,;=:@/?"))
}

/// The octets that have a name here.
enum Octet {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let percent: UInt8 = 0x25
    static let comma: UInt8 = 0x2C
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let delete: UInt8 = 0x7F
}

@inline(__always)
func isDigit(_ octet: UInt8) -> Bool { octet &- 0x30 < 10 }

@inline(__always)
func isWhitespace(_ octet: UInt8) -> Bool { octet == Octet.space || octet == Octet.tab }

/// The value of one hexadecimal digit in either case, nil for any other octet.
@inline(__always)
func hexadecimalValue(_ octet: UInt8) -> Int? {
    if isDigit(octet) { return Int(octet &- 0x30) }
    let letter = (octet | 0x20) &- 0x61
    return letter < 6 ? Int(letter) + 10 : nil
}
