import TensorFormats
import TestSupport
import Testing

/// Numbers against Swift's own reader, bit for bit.
struct JSONNumberTests {
    /// Reads each text alone, and all of them as one array.
    private func check(_ texts: [String], _ comment: Comment) throws {
        let expected = texts.map { Double($0) }
        let together = try array("[" + texts.joined(separator: ",") + "]")
        #expect(together.elements.map(\.bitPattern) == expected.map { $0?.bitPattern }, comment)
        for (text, value) in zip(texts, expected).prefix(1_000) {
            guard case .number(let number) = try parse(text) else { throw JSONError(.shape, at: "", "a number expected") }
            #expect(number.value.bitPattern == value?.bitPattern, "\(text), \(comment)")
        }
    }

    @Test func randomTexts() throws {
        var generator = SeededGenerator()
        func digits(_ counts: ClosedRange<Int>) -> String {
            (0..<Int.random(in: counts, using: &generator)).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
        }
        var texts: [String] = []
        while texts.count < 20_000 {
            var text = Bool.random(using: &generator) ? "-" : ""
            text += Bool.random(using: &generator) ? "0" : String(Int.random(in: 1...9, using: &generator)) + digits(0...25)
            if Bool.random(using: &generator) { text += "." + digits(1...25) }
            if Bool.random(using: &generator) {
                text += ["e", "E", "e-", "E-", "e+"].randomElement(using: &generator) ?? "e"
                text += digits(1...3)
            }
            if let value = Double(text), value.isFinite { texts.append(text) }
        }
        try check(texts, "seed \(generator.seed)")
    }

    @Test func randomBits() throws {
        var generator = SeededGenerator()
        try check((0..<20_000).map { _ in generator.finite().description }, "seed \(generator.seed)")
    }

    @Test func edges() throws {
        try check(
            [
                "0", "-0", "-0.0", "0e0", "0e400", "-0e-400", "0.000e-999999999999", "5e-324", "4.9e-324", "2.4703282292062328e-324",
                "2.4703282292062327e-324", "-1e-400", "1e-99999999999999999999", "2.2250738585072011e-308", "2.2250738585072014e-308",
                "1.7976931348623157e308", "1.7976931348623158e308", "17976931348623157" + String(repeating: "0", count: 292),
                "0." + String(repeating: "0", count: 400) + "1", "0." + String(repeating: "0", count: 400) + "1e401",
                "1" + String(repeating: "0", count: 400) + "e-400", "9007199254740993", "9007199254740992.99999999999999999999999999",
                "1.00000000000000011102230246251565404236316680908203125", "1.00000000000000011102230246251565404236316680908203124",
                "123456789012345678901234567890", "-99999999999999999999", "1e0000000000000000000000001", "100000000", "12345678.12345678",
                "0.1234567812345678", "0.12345678123456781", "1.123456781234567812", "9999999999999999999", "18446744073709551616",
            ], "edges")
    }

    @Test(arguments: [
        "+1", "01", "-01", "00", ".5", "-.5", "1.", "1.e5", "1e", "1e+", "1e-", "0x10", "1_000", "- 1", "--1", "1-", "1-2", "1+1", "1.2.3", "1e5.5",
        "1e5e5", "-", "1,5e", "12a", "1\u{0}", "Infinity", "-Infinity", "NaN", "-NaN", "nan", "inf", "1d", "１",
    ])
    func notInTheGrammar(text: String) {
        for nest in [text, "[\(text)]", "[0,\(text),2]", "[[1],[\(text)]]", "{\"a\":\(text)}", "[ \(text) ]"] {
            #expect(throws: JSONError.self, "\(nest)") { try parse(nest) }
        }
    }

    @Test(arguments: ["1e309", "-1e999", "1e99999999999999999999", "1.7976931348623159e308", "1" + String(repeating: "0", count: 309)])
    func overflow(text: String) {
        for (nest, pointer) in [
            (text, ""), ("[0,\(text)]", "/1"), ("[[1],[\(text)]]", "/1/0"), ("[{\"a\":\(text)}]", "/0/a"), ("[[\(text)],\"a\"]", "/0/0"),
        ] {
            let error = fault(nest)
            #expect(
                error?.kind == .number && error?.pointer == pointer && error?.detail.contains("overflows") == true,
                "\(nest): \(String(describing: error))")
        }
    }

    @Test(arguments: [
        ("9223372036854775807", JSONNumber.signed(.max)), ("-9223372036854775808", .signed(.min)), ("9223372036854775808", .unsigned(1 << 63)),
        ("18446744073709551615", .unsigned(.max)), ("18446744073709551616", .double(0x1p64)), ("-9223372036854775809", .double(-0x1p63)),
        ("9007199254740993", .signed(9_007_199_254_740_993)), ("1.0", .double(1)), ("1e2", .double(100)), ("0", .signed(0)),
    ])
    func integersStayExact(text: String, expected: JSONNumber) throws {
        guard case .number(let number) = try parse(" \(text) ") else { throw JSONError(.shape, at: "", "a number expected") }
        #expect(number == expected)
    }

    @Test func aZeroKeepsItsSign() throws {
        guard case .number(let number) = try parse("-0") else { throw JSONError(.shape, at: "", "a number expected") }
        #expect(number.value.sign == .minus && number.integer == 0)
    }

    /// What lies behind the text in memory is not read as part of it.
    @Test func bytesBehindTheTextDoNotMatter() throws {
        for (text, isGood) in [("12", true), ("[1", false), ("[1,", false), ("[[1]", false), ("\"a", false), ("tru", false), ("[1]", true)] {
            for tail in ["345]", "]", "\"]", "e]", "}", ",2]", " "] {
                var bytes = Array(text.utf8) + (0..<200).map { Array(tail.utf8)[$0 % tail.utf8.count] }
                bytes.removeLast(bytes.count - text.utf8.count)
                #expect(bytes.capacity >= bytes.count + JSONValue.padding)
                let value = try? JSONValue.parse(bytes)
                #expect((value != nil) == isGood, "\(text) before \(tail)")
                if case .number(let number) = value { #expect(number.value == 12) }
            }
        }
    }
}
