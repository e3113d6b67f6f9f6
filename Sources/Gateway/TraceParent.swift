/// The `traceparent` field (W3C Trace Context, §3.2), read strictly: one that breaks a rule is as if it were not there.
package struct TraceParent: Sendable, Equatable {
    /// 32 hexadecimal digits.
    package let traceID: String
    /// 16 hexadecimal digits: the caller's span.
    package let parentID: String

    /// `00-<trace id>-<parent id>-<flags>`, lower case; a later version may have more behind another hyphen.
    package init?(_ field: String) {
        let octets = Array(field.utf8)
        let hyphen = UInt8(ascii: "-")
        guard octets.count >= 55, octets[2] == hyphen, octets[35] == hyphen, octets[52] == hyphen else { return nil }
        for digits in [0..<2, 3..<35, 36..<52, 53..<55] where !octets[digits].allSatisfy(Self.isDigit) { return nil }
        let version = octets[..<2]
        guard version != [0x66, 0x66] else { return nil }
        guard octets.count == 55 || (version != [0x30, 0x30] && octets[55] == hyphen) else { return nil }
        // All zero means none.
        guard octets[3..<35].contains(where: { $0 != 0x30 }), octets[36..<52].contains(where: { $0 != 0x30 }) else { return nil }
        traceID = String(decoding: octets[3..<35], as: UTF8.self)
        parentID = String(decoding: octets[36..<52], as: UTF8.self)
    }

    private static func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet) }
}
