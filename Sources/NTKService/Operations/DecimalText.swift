/// Numbers in targets and fields, in ASCII digits. Swift's own initializers also read signs, hexadecimal digits, `inf` and `nan`, which no
/// client means.
enum DecimalText {
    /// An integer of digits alone; nil for anything else, and beyond `Int`.
    static func integer(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { return nil }
        return Int(text)
    }

    /// A number that is not negative, such as `60`, `0.5` or `1e3`.
    static func number(_ text: some StringProtocol) -> Double? {
        guard let first = text.utf8.first, isDigit(first) || first == UInt8(ascii: "."),
            text.utf8.allSatisfy({ isDigit($0) || ".eE+-".utf8.contains($0) })
        else { return nil }
        return Double(text)
    }

    private static func isDigit(_ octet: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) }
}
