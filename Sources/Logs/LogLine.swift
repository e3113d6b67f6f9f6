internal import Logging

/// A line that is being written.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(512) }

    /// As it stands: for the program's own text.
    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ text: StaticString) { text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) } }

    mutating func append(_ octets: Span<UInt8>) { unsafe octets.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) } }

    mutating func append(digit: Int) { bytes.append(UInt8(ascii: "0") + UInt8(digit)) }

    mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = number.magnitude
        repeat {
            append(digit: Int(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// `number` / 1000 with as many decimals as it needs, and one at the least: 12.0, 0.125.
    /// - Parameter number: not negative.
    mutating func append(thousandths number: Int) {
        append(number / 1_000)
        bytes.append(UInt8(ascii: "."))
        var rest = number % 1_000
        repeat {
            append(digit: rest / 100)
            rest = rest % 100 * 10
        } while rest > 0
    }

    /// A value as JSON: numbers and truth as they are, all else as strings.
    mutating func json(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): quote(text)
        case .stringConvertible(let number as Int): append(number)
        case .stringConvertible(let number as Double) where number.isFinite: append(number.description)
        case .stringConvertible(let bool as Bool): append(bool ? "true" : "false")
        case .stringConvertible(let other): quote(other.description)
        case .array(let values):
            append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { append(",") }
                json(value)
            }
            append("]")
        case .dictionary(let members):
            append("{")
            for (index, (key, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(",") }
                quote(key)
                append(":")
                json(value)
            }
            append("}")
        }
    }

    mutating func quote(_ text: String) {
        append("\"")
        escape(text)
        append("\"")
    }

    /// Controls of ASCII and of Unicode, quotes and backslashes as JSON escapes; so are the separators that some readers take for an end of
    /// line, and the marks that turn the direction of a text.
    mutating func escape(_ text: String) {
        if Self.isPlain(text.utf8.span) { return append(text) }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(scalar.value))
            case 0x20..<0x7F: bytes.append(UInt8(scalar.value))
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                let digits = String(scalar.value, radix: 16)
                append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    /// Whether a text stands for itself in a string of JSON.
    private static func isPlain(_ octets: Span<UInt8>) -> Bool {
        for index in octets.indices {
            let octet = octets[index]
            if octet < 0x20 || octet >= 0x7F || octet == 0x22 || octet == 0x5C { return false }
        }
        return true
    }
}
