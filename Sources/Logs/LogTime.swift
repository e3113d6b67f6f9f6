internal import FoundationEssentials

/// RFC 3339 in UTC to the millisecond.
enum LogTime {
    static func append(_ date: Date, to line: inout LogLine) {
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded(.down))
        let (days, inDay) = (floorDivide(milliseconds, 86_400_000), milliseconds - floorDivide(milliseconds, 86_400_000) * 86_400_000)
        // Days to a date by eras of 400 years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let day = shifted - era * 146_097
        let yearOfEra = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        let monthOfYear = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (monthOfYear <= 2 ? 1 : 0)
        put(year, 4, "-", to: &line)
        put(monthOfYear, 2, "-", to: &line)
        put(dayOfMonth, 2, "T", to: &line)
        put(inDay / 3_600_000, 2, ":", to: &line)
        put(inDay / 60_000 % 60, 2, ":", to: &line)
        put(inDay / 1_000 % 60, 2, ".", to: &line)
        put(inDay % 1_000, 3, "Z", to: &line)
    }

    private static func floorDivide(_ value: Int, _ by: Int) -> Int { value >= 0 ? value / by : -((-value + by - 1) / by) }

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
