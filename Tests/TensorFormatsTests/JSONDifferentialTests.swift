import Foundation
import TensorFormats
import TestSupport
import Testing

/// Random documents, read here and by Foundation.
struct JSONDifferentialTests {
    @Test func randomDocuments() throws {
        var texts = RandomText()
        for _ in 0..<2_000 {
            let text = texts.value(depth: 5)
            let expected = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            try compare(try parse(text), expected, "seed \(texts.generator.seed): \(text)")
        }
    }

    /// A document with one byte changed is refused, or read as Foundation reads it. (Foundation takes more than JSON, such as `[1, ]`.)
    @Test func damagedDocuments() throws {
        var texts = RandomText()
        let alphabet = Array("{}[]\",:\\ 0123456789-+.eEtrufalsn\n\t".utf8)
        for _ in 0..<4_000 {
            var bytes = Array(texts.value(depth: 4).utf8)
            let place = Int.random(in: 0..<bytes.count, using: &texts.generator)
            let byte = alphabet.randomElement(using: &texts.generator) ?? 0
            if Bool.random(using: &texts.generator) { bytes[place] = byte } else { bytes.insert(byte, at: place) }
            let text = String(decoding: bytes, as: UTF8.self)
            let comment: Comment = "seed \(texts.generator.seed): \(text)"
            do throws(JSONError) {
                let value = try JSONValue.parse(bytes)
                #expect(throws: Never.self, comment) {
                    try compare(value, JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed), comment)
                }
            } catch {
                #expect(!error.detail.isEmpty && (error.pointer.isEmpty || error.pointer.hasPrefix("/")), comment)
            }
        }
    }

    private func compare(_ value: JSONValue, _ expected: Any, _ comment: Comment) throws {
        switch value {
        case .null: #expect(expected is NSNull, comment)
        case .bool(let bool): #expect((expected as? NSNumber)?.boolValue == bool, comment)
        case .number(let number): #expect(isNear((expected as? NSNumber)?.doubleValue, number.value), comment)
        case .string(let string): #expect((expected as? String).map { Array($0.utf8) } == Array(string.utf8), comment)
        case .array(let values):
            let items = try #require(expected as? [Any], comment)
            try #require(items.count == values.count, comment)
            for (value, item) in zip(values, items) { try compare(value, item, comment) }
        case .object(let object):
            let members = try #require(expected as? [String: Any], comment)
            #expect(members.count == object.members.count, comment)
            for (key, value) in object.members { try compare(value, try #require(members[key], comment), comment) }
        case .tensor(let array):
            let numbers = try flat(expected, shape: array.shape[...], comment)
            #expect(numbers.count == array.elements.count && zip(numbers, array.elements).allSatisfy(isNear), comment)
            #expect(array.hasNulls == array.elements.contains { $0.isNaN }, comment)
        case .ragged(let error):
            #expect(expected is [Any] && !error.pointer.isEmpty, comment)
        case .file:
            Issue.record("JSON holds no files: \(comment)")
        }
    }

    /// Foundation reads by way of Decimal and is a few ulp off; `JSONNumberTests` are exact.
    private func isNear(_ expected: Double?, _ value: Double) -> Bool {
        expected.map { abs($0 - value) <= 1e-14 * abs(value) } ?? value.isNaN
    }

    private func flat(_ value: Any, shape: ArraySlice<Int>, _ comment: Comment) throws -> [Double?] {
        guard let extent = shape.first else { return [value is NSNull ? nil : (value as? NSNumber)?.doubleValue] }
        let items = try #require(value as? [Any], comment)
        #expect(items.count == extent, comment)
        return try items.flatMap { try flat($0, shape: shape.dropFirst(), comment) }
    }
}

/// Makes texts: values of every kind with random spaces, escapes and nesting.
private struct RandomText {
    var generator = SeededGenerator()

    mutating func value(depth: Int) -> String {
        space() + bare(depth: depth) + space()
    }

    private mutating func bare(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 12 : 6), using: &generator) {
        case 0: return ["null", "true", "false"].randomElement(using: &generator) ?? "null"
        case 1: return quoted()
        case 2: return String(Int.random(in: -1_000...1_000, using: &generator))
        case 3...5: return number()
        case 6, 7: return list((0..<Int.random(in: 0...4, using: &generator)).map { _ in value(depth: depth - 1) })
        case 8, 9: return nest(levels: Int.random(in: 1...3, using: &generator), isRagged: Bool.random(using: &generator))
        default:
            // Keys that differ in their number, so that none comes twice.
            let members = (0..<Int.random(in: 0...4, using: &generator)).map { index in
                "\"\(index)\(quoted().dropFirst())\(space()):\(value(depth: depth - 1))"
            }
            return "{" + space() + members.joined(separator: "," + space()) + "}"
        }
    }

    private mutating func nest(levels: Int, isRagged: Bool) -> String {
        let extents = (0..<levels).map { _ in Int.random(in: 0...3, using: &generator) }
        func level(_ index: Int) -> String {
            if index == levels { return space() + number() }
            let count = isRagged ? Int.random(in: 0...3, using: &generator) : extents[index]
            return list((0..<count).map { _ in level(index + 1) })
        }
        return level(0)
    }

    private mutating func list(_ items: [String]) -> String { "[" + items.joined(separator: "," + space()) + space() + "]" }

    private mutating func number() -> String {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return "null"
        case 1: return String(Int.random(in: 0...255, using: &generator))
        case 2: return String(Int64(truncatingIfNeeded: generator.next()) >> 12)
        default: return Double.random(in: -1e3...1e3, using: &generator).description
        }
    }

    private mutating func quoted() -> String {
        let pieces = [
            "a", "é", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "😀", "0", " ", "~", "/", "\\u0001",
            "long enough to cross a block of 64 bytes ",
        ]
        return "\"" + (0..<Int.random(in: 0...5, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined() + "\""
    }

    private mutating func space() -> String {
        Bool.random(using: &generator) ? "" : ["", " ", "\n", "\t", "\r\n", "   "].randomElement(using: &generator) ?? ""
    }
}
