/// Reads the three forms of a date in HTTP (RFC 9110 §5.6.7), case-sensitively and octet by octet.
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let longWeekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// Seconds since 1970-01-01T00:00:00Z; nil for what is no date.
    /// - Parameter now: to tell the century of a year of two digits: a date more than 50 years ahead is of the past.
    package static func secondsSince1970(_ text: String, now: Int) -> Int? {
        let words = text.utf8.split(separator: Octet.space, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        // Sun, 06 Nov 1994 08:49:37 GMT
        if words.count == 6, words[5] == "GMT", words[0].utf8.last == Octet.comma, weekdays.contains(String(words[0].dropLast())) {
            return seconds(year: number(words[3], digits: 4), month: words[2], day: number(words[1], digits: 2), time: words[4])
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        if words.count == 4, words[3] == "GMT", words[0].utf8.last == Octet.comma, longWeekdays.contains(String(words[0].dropLast())) {
            let date = words[1].utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            guard date.count == 3, let short = number(date[2], digits: 2) else { return nil }
            let own = CivilDate(daysSince1970: now.dividedDown(by: 86_400)).year
            var year = own - own % 100 + short
            if year > own + 50 { year -= 100 }
            return seconds(year: year, month: date[1], day: number(date[0], digits: 2), time: words[2])
        }
        // Sun Nov  6 08:49:37 1994
        let isShort = words.count == 6 && words[2].isEmpty
        guard isShort || words.count == 5, weekdays.contains(words[0]) else { return nil }
        let rest = Array(words.suffix(3))
        return seconds(year: number(rest[2], digits: 4), month: words[1], day: number(rest[0], digits: isShort ? 1 : 2), time: rest[1])
    }

    private static func seconds(year: Int?, month: String, day: Int?, time: String) -> Int? {
        let parts = time.utf8.split(separator: Octet.colon, omittingEmptySubsequences: false).map {
            number(String(decoding: $0, as: UTF8.self), digits: 2)
        }
        guard let year, let index = months.firstIndex(of: month), let day, day >= 1, parts.count == 3, let hour = parts[0], let minute = parts[1],
            let second = parts[2], hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CivilDate.daysSince1970(year: year, month: index + 1, day: day)
        let back = CivilDate(daysSince1970: days)
        guard back.month == index + 1, back.day == day else { return nil }
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private static func number(_ text: String, digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
