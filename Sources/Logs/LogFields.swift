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
        var rest = field.utf8[...]
        while !rest.isEmpty {
            let part = rest.prefix { $0 != UInt8(ascii: ",") }
            rest = rest[part.endIndex...].dropFirst()
            let name = part.drop { $0 == UInt8(ascii: " ") }.prefix(while: Self.isLetter)
            let value = part[name.endIndex...]
            guard !name.isEmpty, value.starts(with: ";dur=".utf8), Self.isDecimal(value.dropFirst(5)) else { continue }
            separate()
            if format == .json { line.append("\"") }
            line.append(name)
            line.append(format == .json ? "_ms\":" : "_ms=")
            line.append(value.dropFirst(5))
        }
    }

    private static func isLetter(_ octet: UInt8) -> Bool { (0x61...0x7A).contains(octet) }
    private static func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }

    /// 12 or 12.34, as JSON has it: without leading zeros.
    private static func isDecimal(_ octets: Substring.UTF8View) -> Bool {
        let whole = octets.prefix(while: isDigit)
        guard let first = whole.first, first != 0x30 || whole.count == 1 else { return false }
        let fraction = octets[whole.endIndex...]
        return fraction.isEmpty || (fraction.count > 1 && fraction.first == UInt8(ascii: ".") && fraction.dropFirst().allSatisfy(isDigit))
    }

    private mutating func begin(_ name: StaticString) {
        separate()
        if format == .json { line.append("\"") }
        line.append(name)
        line.append(format == .json ? "\":" : "=")
    }

    private mutating func separate() { line.append(format == .json ? "," : " ") }
}
