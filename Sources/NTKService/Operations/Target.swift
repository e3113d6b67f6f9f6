internal import HTTPTypes

/// A request target taken apart.
struct Target: Sendable {
    let path: String
    /// Parameters in order, percent-decoded; a value is empty where there is no "=".
    let query: [(name: String, value: String)]

    /// The first value of a parameter.
    func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

    static let nowhere = Target(path: "", query: [])

    private init(path: String, query: [(name: String, value: String)]) {
        self.path = path
        self.query = query
    }

    /// Nil if a percent-encoding is broken.
    init?(_ target: String) {
        // Most are a plain path.
        guard !Self.isPlain(target.utf8.span) else {
            path = target
            query = []
            return
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = Self.decoded(parts[0]) else { return nil }
        self.path = path
        var query: [(String, String)] = []
        if parts.count == 2 {
            for pair in parts[1].split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let name = Self.decoded(sides[0]), let value = sides.count == 2 ? Self.decoded(sides[1]) : "" else { return nil }
                query.append((name, value))
            }
        }
        self.query = query
    }

    private static func isPlain(_ octets: Span<UInt8>) -> Bool {
        for index in octets.indices where octets[index] == UInt8(ascii: "?") || octets[index] == UInt8(ascii: "%") { return false }
        return true
    }

    private static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
