/// The preferred date format, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
package enum IMFFixdate {
    private static let weekdays: StaticString = "ThuFriSatSunMonTueWed"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// - Parameter seconds: Since 1970-01-01T00:00:00Z, leap seconds not counted; times outside the years 0 to 9999 come out as the nearest inside.
    package static func format(secondsSince1970 seconds: Int) -> [UInt8] {
        let clamped = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let days = clamped.dividedDown(by: 86_400)
        let second = clamped - days * 86_400
        let date = CivilDate(daysSince1970: days)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        appendName(weekdays, days - days.dividedDown(by: 7) * 7, to: &text)
        text.append(contentsOf: ", ".utf8)
        appendDigits(date.day, width: 2, to: &text)
        text.append(Octet.space)
        appendName(months, date.month - 1, to: &text)
        text.append(Octet.space)
        appendDigits(date.year, width: 4, to: &text)
        text.append(Octet.space)
        appendDigits(second / 3600, width: 2, to: &text)
        text.append(Octet.colon)
        appendDigits(second / 60 % 60, width: 2, to: &text)
        text.append(Octet.colon)
        appendDigits(second % 60, width: 2, to: &text)
        text.append(contentsOf: " GMT".utf8)
        return text
    }

    private static func appendName(_ names: StaticString, _ index: Int, to text: inout [UInt8]) {
        names.withUTF8Buffer { unsafe text.append(contentsOf: $0[(index * 3)..<(index * 3 + 3)]) }
    }

    private static func appendDigits(_ value: Int, width: Int, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(0x30 + value / divisor % 10))
            divisor /= 10
        }
    }
}
