import Foundation
import TensorFormats
import TestSupport
import Testing

struct JSONWriterTests {
    @Test func document() throws {
        var json = JSONWriter()
        json.beginObject()
        json.member("text", "a\"\\\n\u{1}é")
        json.member("count", -3)
        try json.member("number", 0.1)
        json.key("rows")
        json.beginArray()
        try json.rows([1.0, 2.5, -0.0, 1e300].span, columns: 2)
        json.endArray()
        json.key("empty")
        json.beginArray()
        json.endArray()
        json.key("null")
        json.null()
        json.endObject()
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"text":"a\"\\\n\u0001é","count":-3,"number":0.1,"rows":[[1,2.5],[-0.0,1e+300]],"empty":[],"null":null}"#)
    }

    @Test func doublesReadBackAsTheSameBits() throws {
        var generator = SeededGenerator()
        var numbers: [Double] = [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown]
        numbers += [1 / 3, 1e22, 1e21, 1e5, 1e-5, 123_456_789, 999_999, 1_000_000, 1_000_001, -999_999, 255, 0.1 + 0.2, 0x1p53, 0x1p63]
        numbers += (-330...308).compactMap { Double("1e\($0)") } + (-1074...1023).map { Double(sign: .minus, exponent: $0, significand: 1) }
        numbers += (0..<20_000).map { _ in generator.finite() }
        numbers += (0..<1_000).map { _ in Double(Int.random(in: -2_000_000...2_000_000, using: &generator)) }
        var json = JSONWriter()
        json.beginArray()
        try json.values(numbers.span)
        json.endArray()
        let read = try JSONValue.parse(json.bytes).numericArray(at: "")
        #expect(read.elements.map(\.bitPattern) == numbers.map(\.bitPattern), "seed \(generator.seed)")
    }

    @Test func floatsReadBackAsTheSameBits() throws {
        var generator = SeededGenerator()
        var numbers: [Float] = [
            0, -0.0, 0.1, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNormalMagnitude, 16_777_216, 999_999, 1_000_000,
        ]
        numbers += (0..<20_000).map { _ in generator.finiteSingle() }
        var json = JSONWriter()
        json.beginArray()
        try json.values(numbers.span)
        json.endArray()
        // In digits of its own: as float64 it would be 0.10000000149011612.
        #expect(String(decoding: json.bytes.prefix(12), as: UTF8.self) == "[0,-0.0,0.1,")
        let read = try JSONValue.parse(json.bytes).numericArray(at: "")
        #expect(read.elements.map { Float($0).bitPattern } == numbers.map(\.bitPattern), "seed \(generator.seed)")
    }

    /// No number has a shorter text, as far as Swift's own shortest text can tell.
    @Test func textsAreShortest() throws {
        var generator = SeededGenerator()
        for _ in 0..<5_000 {
            let number = generator.finite()
            var json = JSONWriter()
            try json.value(number)
            let text = String(decoding: json.bytes, as: UTF8.self)
            #expect(text.utf8.count <= number.description.utf8.count, "\(text) for \(number)")
        }
    }

    /// The sizes that kernels have, with few digits and with all, whatever the place of the point: Swift's digits, and not more letters.
    @Test func ordinarySizesAreShortest() throws {
        var generator = SeededGenerator()
        var numbers = (0..<4_000).map { _ in Double.random(in: -1...1, using: &generator) * pow(10, Double(Int.random(in: -7...8, using: &generator)))
        }
        for power in -8...8 {
            for digits in [1, 9, 12, 123, 99_999, 1_234_567] { numbers += [Double("\(digits)e\(power)") ?? 0, Double("-\(digits)e\(power)") ?? 0] }
        }
        for number in numbers {
            try expectShortest(number)
            try expectShortest(Float(number))
        }
    }

    private func expectShortest<Number: JSONFloat & LosslessStringConvertible & BinaryFloatingPoint>(_ number: Number) throws {
        var json = JSONWriter()
        // With another behind it, which the faster way needs.
        try json.values([number, 1].span)
        let text = String(decoding: json.bytes.dropLast(2), as: UTF8.self)
        #expect(Number(text) == number, "\(text) for \(number)")
        let integer = number == number.rounded() && abs(number) < 1e6
        #expect(text.utf8.count <= number.description.utf8.count - (integer ? 2 : 0) || number.exponent > 20, "\(text) for \(number)")
    }

    @Test func piecesMakeTheWhole() throws {
        let numbers = (0..<24).map { Double($0) / 7 }
        var whole = JSONWriter()
        whole.beginArray()
        try whole.rows(numbers.span, columns: 4)
        whole.endArray()
        var pieces = "["
        for start in stride(from: 0, to: 24, by: 8) {
            var piece = JSONWriter()
            piece.reserve(numbers: 8)
            try piece.rows(numbers.span.extracting(start..<start + 8), columns: 4)
            pieces += (start > 0 ? "," : "") + String(decoding: piece.bytes, as: UTF8.self)
        }
        #expect(pieces + "]" == String(decoding: whole.bytes, as: UTF8.self))
        #expect(try array(pieces + "]") == NumericArray(shape: [6, 4], elements: NumericElements(numbers)))
    }

    @Test func stringsReadBack() throws {
        let string = String(String.UnicodeScalarView((0...0x7F).compactMap { Unicode.Scalar($0) })) + "é😀\u{2028}\u{FEFF}"
        var json = JSONWriter()
        json.value(string)
        guard case .string(let read) = try JSONValue.parse(json.bytes) else { throw JSONError(.shape, at: "", "a string expected") }
        #expect(read.utf8.elementsEqual(string.utf8))
        #expect(json.bytes.allSatisfy { $0 >= 0x20 })
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func onlyFiniteNumbers(value: Double) {
        var json = JSONWriter()
        #expect(throws: NotFiniteError(index: 1)) { try json.values([1, value].span) }
        #expect(throws: NotFiniteError(index: 5)) { try json.rows([1, 2, 3, 4, 5, value].span, columns: 2) }
        #expect(throws: NotFiniteError(index: 0)) { try json.value(Float(value)) }
    }
}
