/// The header of a `.npy` file: the text of a Python dictionary of `descr`, `fortran_order` and `shape`, read as what NumPy writes, never evaluated.
struct NpyHeader: Equatable {
    var descriptor = ""
    var isFortran = false
    var shape: [Int] = []

    /// Octets that a header may have: those of version 1. NumPy's own reader takes 10,000.
    static let maximumOctets = 65_535
    /// Extents that a shape may have, as in NumPy 2.
    private static let maximumRank = 64

    /// Nil if the text is another.
    init?(_ text: ArraySlice<UInt8>) {
        var scanner = Scanner(rest: text)
        guard scanner.take("{") else { return nil }
        var keys: Set<String> = []
        while !scanner.take("}") {
            guard let key = scanner.string(), keys.insert(key).inserted, scanner.take(":") else { return nil }
            switch key {
            case "descr":
                guard let descriptor = scanner.string() else { return nil }
                self.descriptor = descriptor
            case "fortran_order":
                guard let isFortran = scanner.boolean() else { return nil }
                self.isFortran = isFortran
            case "shape":
                guard let shape = scanner.tuple(maximum: Self.maximumRank) else { return nil }
                self.shape = shape
            default: return nil
            }
            if scanner.take(",") { continue }
            guard scanner.take("}") else { return nil }
            break
        }
        guard keys.count == 3, scanner.isAtEnd else { return nil }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        private mutating func skipSpaces() {
            while let first = rest.first, first == 0x20 || first == 0x0A { rest.removeFirst() }
        }

        var isAtEnd: Bool {
            mutating get {
                skipSpaces()
                return rest.isEmpty
            }
        }

        /// Takes a word if it is what comes next.
        mutating func take(_ word: String) -> Bool {
            skipSpaces()
            guard rest.starts(with: word.utf8) else { return false }
            rest.removeFirst(word.utf8.count)
            return true
        }

        /// A text in single or double quotes, without escapes.
        mutating func string() -> String? {
            let quote: UInt8
            if take("'") { quote = UInt8(ascii: "'") } else if take("\"") { quote = UInt8(ascii: "\"") } else { return nil }
            guard let end = rest.firstIndex(of: quote) else { return nil }
            defer { rest = rest[(end + 1)...] }
            let text = rest[..<end]
            return text.contains(UInt8(ascii: "\\")) ? nil : String(validating: text, as: UTF8.self)
        }

        mutating func boolean() -> Bool? { take("True") ? true : take("False") ? false : nil }

        /// `(2, 3)`, `(2,)` or `()`; Python 2 wrote `2L`.
        mutating func tuple(maximum: Int) -> [Int]? {
            guard take("(") else { return nil }
            var extents: [Int] = []
            while !take(")") {
                guard extents.count < maximum, let extent = integer() else { return nil }
                extents.append(extent)
                _ = take("L")
                if take(",") { continue }
                // A single extent without a comma is a number in brackets to Python.
                guard extents.count > 1, take(")") else { return nil }
                break
            }
            return extents
        }

        /// Decimal digits. `Int(_:)` also takes a sign.
        private mutating func integer() -> Int? {
            skipSpaces()
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest[digits.endIndex...]
            return Int(String(decoding: digits, as: UTF8.self))
        }
    }
}
