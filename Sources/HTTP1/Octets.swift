/// Character classes of RFC 9110 and RFC 9112, on octets: a message is not text (RFC 9112 §2.2).
enum Octet {
    static let cr = UInt8(ascii: "\r")
    static let lf = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
    static let semicolon = UInt8(ascii: ";")
    static let slash = UInt8(ascii: "/")

    /// tchar (RFC 9110 §5.6.2).
    static func isToken(_ octet: UInt8) -> Bool { classes[Int(octet)] & 1 != 0 }

    /// What a field value may hold: VCHAR, obs-text, space and tab (RFC 9110 §5.5).
    static func isFieldContent(_ octet: UInt8) -> Bool { octet >= 0x20 ? octet != 0x7F : octet == tab }

    /// What a request target may hold: visible ASCII without the characters that no part of a URI may contain (RFC 3986 §2).
    static func isTarget(_ octet: UInt8) -> Bool { classes[Int(octet)] & 2 != 0 }

    static func isDigit(_ octet: UInt8) -> Bool { octet >= 0x30 && octet <= 0x39 }

    static func lowercased(_ octet: UInt8) -> UInt8 { octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet }

    private static let classes: [UInt8] = (0..<256).map { value in
        let octet = UInt8(value)
        let isAlphanumeric = isDigit(octet) || (lowercased(octet) >= 0x61 && lowercased(octet) <= 0x7A)
        let token = isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(octet)
        let target = octet > 0x20 && octet < 0x7F && !"\"<>\\^`{|}".utf8.contains(octet)
        return (token ? 1 : 0) | (target ? 2 : 0)
    }
}

extension Sequence<UInt8> {
    /// Equality but for the case of ASCII letters.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { expected in
            unsafe lazy.map(Octet.lowercased).elementsEqual(expected)
        }
    }
}
