import HTTP1
import Testing

@Suite("Dates of HTTP")
struct HTTPDateTests {
    /// 2026-12-01T00:00:00Z
    private static let now = 1_796_083_200

    @Test("RFC 9110 §5.6.7: three forms", arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func forms(text: String) { #expect(HTTPDate.secondsSince1970(text, now: Self.now) == 784_111_777) }

    @Test("What is written is read", arguments: [0, 951_782_400, 1_709_164_800, 1_796_083_199, 4_102_444_800])
    func written(seconds: Int) {
        #expect(HTTPDate.secondsSince1970(String(decoding: IMFFixdate.format(secondsSince1970: seconds), as: UTF8.self), now: Self.now) == seconds)
    }

    @Test("A year of two digits is at most 50 years ahead", arguments: [("76", 2076), ("77", 1977), ("00", 2000)])
    func centuries(digits: String, year: Int) {
        let read = HTTPDate.secondsSince1970("Friday, 01-Jan-\(digits) 00:00:00 GMT", now: Self.now)
        #expect(read == HTTPDate.secondsSince1970("Fri, 01 Jan \(year) 00:00:00 GMT", now: Self.now))
    }

    @Test(
        "Anything else is none",
        arguments: [
            "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "sun, 06 nov 1994 08:49:37 gmt", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun,  06 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "784111777", "\"tag\"",
        ])
    func others(text: String) { #expect(HTTPDate.secondsSince1970(text, now: Self.now) == nil) }
}
