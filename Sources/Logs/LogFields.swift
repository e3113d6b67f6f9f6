/// The named values of one line, written as they are added: for what is logged with every request, where a dictionary would cost more than
/// the line. Names are the program's own text; values are escaped.
package struct LogFields: ~Copyable {
    private(set) var line: LogLine
    private let format: LogFormat

    init(_ line: LogLine, _ format: LogFormat) {
        self.line = line
        self.format = format
    }

    package mutating func add(_ name: StaticString, _ value: String) {
        begin(name)
        line.quote(value)
    }

    package mutating func add(_ name: StaticString, _ value: Int) {
        begin(name)
        line.append(value)
    }

    package mutating func add(_ name: StaticString, _ value: Bool) {
        begin(name)
        line.append(value ? "true" : "false")
    }

    /// To the microsecond.
    package mutating func add(_ name: StaticString, milliseconds duration: Duration) {
        begin(name)
        let (seconds, attoseconds) = duration.components
        line.append(thousandths: max(0, Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)))
    }

    /// What a `Server-Timing` field tells, `queue;dur=0.1, parse;dur=2`, as `queue_ms` and `parse_ms`; the numbers as they stand there.
    package mutating func add(timing field: String) {
        let octets = field.utf8.span
        var start = 0
        while start < octets.count {
            var end = start
            while end < octets.count, octets[end] != UInt8(ascii: ",") { end += 1 }
            while start < end, octets[start] == UInt8(ascii: " ") { start += 1 }
            if let (name, number) = Self.timing(octets, start..<end) {
                separate()
                if format == .json { line.append("\"") }
                line.append(octets.extracting(name))
                line.append(format == .json ? "_ms\":" : "_ms=")
                line.append(octets.extracting(number))
            }
            start = end + 1
        }
    }

    /// The places of both in `name;dur=12.34`: a name of letters and a decimal as JSON has it. Nil for anything else.
    private static func timing(_ octets: Span<UInt8>, _ part: Range<Int>) -> (name: Range<Int>, number: Range<Int>)? {
        func digits(from start: Int) -> Int {
            var end = start
            while end < part.upperBound, (0x30...0x39).contains(octets[end]) { end += 1 }
            return end
        }
        var middle = part.lowerBound
        while middle < part.upperBound, (0x61...0x7A).contains(octets[middle]) { middle += 1 }
        let start = middle + 5
        guard middle > part.lowerBound, start < part.upperBound else { return nil }
        for (place, octet) in ";dur=".utf8.enumerated() where octets[middle + place] != octet { return nil }
        var end = digits(from: start)
        guard end > start, end == start + 1 || octets[start] != 0x30 else { return nil }
        if end < part.upperBound, octets[end] == UInt8(ascii: ".") {
            let fraction = end + 1
            end = digits(from: fraction)
            guard end > fraction else { return nil }
        }
        return end == part.upperBound ? (part.lowerBound..<middle, start..<end) : nil
    }

    private mutating func begin(_ name: StaticString) {
        separate()
        if format == .json { line.append("\"") }
        line.append(name)
        line.append(format == .json ? "\":" : "=")
    }

    private mutating func separate() { line.append(format == .json ? "," : " ") }
}
