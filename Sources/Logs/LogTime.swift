internal import FoundationEssentials
private import Glibc

/// RFC 3339 in UTC to the millisecond.
enum LogTime {
    static func append(_ date: Date, to line: inout LogLine) {
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded(.down))
        // Rounded down, so that times before 1970 fall into the right second.
        var seconds = time_t(milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0))
        let rest = milliseconds - seconds * 1000
        var civil = unsafe tm()
        _ = unsafe gmtime_r(&seconds, &civil)
        unsafe put(Int(civil.tm_year) + 1900, 4, "-", to: &line)
        unsafe put(Int(civil.tm_mon) + 1, 2, "-", to: &line)
        unsafe put(Int(civil.tm_mday), 2, "T", to: &line)
        unsafe put(Int(civil.tm_hour), 2, ":", to: &line)
        unsafe put(Int(civil.tm_min), 2, ":", to: &line)
        unsafe put(Int(civil.tm_sec), 2, ".", to: &line)
        put(rest, 3, "Z", to: &line)
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
