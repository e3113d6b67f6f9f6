import HTTP1
import Testing

@Suite("IMF-fixdate")
struct IMFFixdateTests {
    @Test(
        "RFC 9110 §5.6.7",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
            (Int.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ])
    func known(seconds: Int, text: String) {
        #expect(String(decoding: IMFFixdate.format(secondsSince1970: seconds), as: UTF8.self) == text)
    }

    @Test("Days follow each other through four hundred years")
    func consecutive() {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        var previousDay = 0
        for day in 0..<146_097 {
            let text = String(decoding: IMFFixdate.format(secondsSince1970: day * 86_400), as: UTF8.self)
            let number = Int(text.dropFirst(5).prefix(2)) ?? 0
            if text.prefix(3) != weekdays[day % 7] || (number != previousDay + 1 && number != 1) {
                Issue.record("day \(day): \(text)")
                return
            }
            previousDay = number
        }
    }
}
