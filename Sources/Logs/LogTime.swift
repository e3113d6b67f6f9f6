internal import CivilDates
internal import FoundationEssentials

/// RFC 3339 in UTC to the millisecond.
enum LogTime {
    static func append(_ date: Date, to line: inout LogLine) {
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded(.down))
        let days = milliseconds.dividedDown(by: 86_400_000)
        let inDay = milliseconds - days * 86_400_000
        let civil = CivilDate(daysSince1970: days)
        put(civil.year, 4, "-", to: &line)
        put(civil.month, 2, "-", to: &line)
        put(civil.day, 2, "T", to: &line)
        put(inDay / 3_600_000, 2, ":", to: &line)
        put(inDay / 60_000 % 60, 2, ":", to: &line)
        put(inDay / 1_000 % 60, 2, ".", to: &line)
        put(inDay % 1_000, 3, "Z", to: &line)
    }

    /// The last digits of a number, and what follows them.
    private static func put(_ value: Int, _ width: Int, _ end: StaticString, to line: inout LogLine) {
        var place = 1
        for _ in 1..<width { place *= 10 }
        while place > 0 {
            line.append(digit: value / place % 10)
            place /= 10
        }
        line.append(end)
    }
}
