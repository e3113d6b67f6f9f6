import TensorFormats
import Testing

struct JSONValueTests {
    @Test func matrixIsOneArray() throws {
        let matrix = try array("[[1, 2.5, -3e2], [4, 5, 6]]")
        #expect(matrix.shape == [2, 3])
        #expect(Array(matrix.elements) == [1, 2.5, -300, 4, 5, 6])
        #expect(!matrix.hasNulls)
    }

    @Test(arguments: [("[]", [0]), ("[[],[]]", [2, 0]), ("[[[1],[2]],[[3],[4]]]", [2, 2, 1]), ("[7]", [1])])
    func shapes(text: String, shape: [Int]) throws {
        #expect(try array(text).shape == shape)
    }

    @Test func shapeAndData() throws {
        #expect(try array(#"{"shape":[2,2],"data":[1,2,3,4]}"#) == array("[[1,2],[3,4]]"))
    }

    @Test func nullsAreMarked() throws {
        let matrix = try array("[[1,null],[2,3]]")
        #expect(matrix.hasNulls && matrix.elements[matrix.elements.startIndex + 1].isNaN)
    }

    @Test("RFC 8259 §8.1: one byte order mark before a text is skipped")
    func byteOrderMark() throws {
        let value = try JSONValue.parse(Array("\u{FEFF}{\"a\":[1,2]}".utf8))
        guard case .object(let object) = value else { throw JSONError(.shape, at: "", "an object expected") }
        #expect(try object["a"]?.numericArray(at: "/a").elements == [1, 2])
    }

    @Test(arguments: [
        ("[[1,2],[3]]", "/x/1", "2 entries expected"),
        ("[[1],2]", "/x/1", "an array expected"),
        ("[1,[2]]", "/x/1", "a number expected"),
        ("[[[1],[2]],[[3],[4,5]]]", "/x/1/1", "1 entry expected"),
        ("[[],[1]]", "/x/1", "0 entries expected"),
        (#"[[1,2],[3,"a"]]"#, "/x/1/1", "a number expected; a string came"),
        (#"{"shape":[2,2],"data":[1,2,3]}"#, "/x/data", "4 numbers expected"),
        (#"{"shape":[4611686018427387904,4],"data":[1]}"#, "/x/shape", "beyond any array"),
        (#"{"shape":[-1],"data":[1]}"#, "/x/shape/0", "not negative"),
        (#"{"shape":[1],"data":[1],"more":1}"#, "/x/more", "shape and data"),
        ("true", "/x", "a boolean came"),
    ])
    func notAnArray(text: String, pointer: String, detail: String) throws {
        let error = #expect(throws: JSONError.self) { try array(text) }
        #expect(error?.pointer == pointer && error?.kind == .shape)
        #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
    }

    @Test(arguments: [
        ("", JSONError.Kind.syntax, ""), ("{", .syntax, ""), ("[1,]", .syntax, "/1"), ("[1 2]", .syntax, "/0"), (#"{"a" 1}"#, .syntax, "/a"),
        ("[1]]", .syntax, ""), (#"{"a":[1,NaN]}"#, .number, "/a/1"), ("[-Infinity]", .number, "/0"), (#"{"a":{"b":1e999}}"#, .number, "/a/b"),
        ("[01]", .number, "/0"), ("[+1]", .syntax, "/0"), ("[1.]", .number, "/0"), (#"{"a":1,"a":2}"#, .duplicateKey, "/a"),
        (#"{"q":{"a":1,"\u0061":2}}"#, .duplicateKey, "/q/a"), (#"{"a/b~":[tru]}"#, .syntax, "/a~1b~0/0"), (#"["\ud800"]"#, .encoding, "/0"),
        ("\u{FEFF}\u{FEFF}[]", .syntax, ""), ("\u{FEFF}", .syntax, ""), ("[\u{FEFF}1]", .syntax, "/0"), ("[\"a\nb\"]", .syntax, "/0"),
        (#"["\x"]"#, .syntax, "/0"),
        ("   ", .syntax, ""), ("}", .syntax, ""), ("[1}", .syntax, "/0"), ("[}", .syntax, "/0"), (#"{"a":1]"#, .syntax, "/a"), ("[1]x", .syntax, ""),
        ("1 2", .syntax, ""), ("truex", .syntax, ""), ("[nul]", .syntax, "/0"), ("[1,,2]", .syntax, "/1"), ("[,1]", .syntax, "/0"),
        ("[1", .syntax, "/0"),
        (#"{"a":1,}"#, .syntax, ""), (#"{"a":}"#, .syntax, "/a"), (#"{"a":1 "b":2}"#, .syntax, "/a"), ("{a:1}", .syntax, ""), ("{1:2}", .syntax, ""),
        ("['a']", .syntax, "/0"), ("[1] // no", .syntax, ""), ("\"a", .syntax, ""), (#"["\u12g4"]"#, .syntax, "/0"), (#"["\"#, .syntax, "/0"),
        (#"{"a\q":1}"#, .syntax, ""), (#"{"b":{"\ud800":1}}"#, .encoding, "/b"), (#"["\udc00"]"#, .encoding, "/0"),
        (#"["\ud800\u0061"]"#, .encoding, "/0"),
        (#"["\ud800\ud800"]"#, .encoding, "/0"), (#"{"x":[[1,2],[3,Infinity]]}"#, .number, "/x/1/1"),
        (#"{"x":[[1,2],["a",1e999]]}"#, .number, "/x/1/1"),
    ])
    func faultsHaveAPlace(text: String, kind: JSONError.Kind, pointer: String) throws {
        let error = #expect(throws: JSONError.self) { try parse(text) }
        #expect(error?.kind == kind && error?.pointer == pointer, "\(String(describing: error))")
    }

    /// Overlong forms, surrogates, what is beyond U+10FFFF, and sequences that break off.
    @Test(
        arguments: [
            [0xC0, 0xAF], [0xC1, 0x81], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88],
            [0x80],
            [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        for (text, pointer) in [([0x5B, 0x22] + bytes + [0x22, 0x5D], "/0"), ([0x7B, 0x22] + bytes + [0x22, 0x3A, 0x31, 0x7D], "")] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
            #expect(error?.kind == .encoding && error?.pointer == pointer)
        }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x5B] + bytes + [0x5D]) }
    }

    @Test func depthIsLimited() throws {
        _ = try parse(String(repeating: "[", count: 63) + "1" + String(repeating: "]", count: 63))
        for depth in [64, 100_000] {
            let error = #expect(throws: JSONError.self) {
                try parse(String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth))
            }
            #expect(error?.kind == .depth)
        }
        let objects = #expect(throws: JSONError.self) { try parse(String(repeating: #"{"a":"#, count: 100_000)) }
        #expect(objects?.kind == .depth)
    }

    /// é as one scalar and as two are different keys, though equal as Swift strings.
    @Test func keysAreComparedByBytes() throws {
        guard case .object(let object) = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}") else { throw JSONError(.shape, at: "", "") }
        #expect(object.members.count == 2)
        guard case .number(let number) = object["e\u{301}"] else { throw JSONError(.shape, at: "", "") }
        #expect(number.integer == 2)
    }

    @Test func integersAreExact() throws {
        for (text, expected) in [("9007199254740993", JSONNumber.signed(9_007_199_254_740_993)), ("18446744073709551615", .unsigned(.max))] {
            guard case .number(let number) = try parse(text) else { throw JSONError(.shape, at: "", "") }
            #expect(number == expected)
        }
        // Beyond 64 bits: JSON all the same, as the nearest float64.
        #expect(try Array(array("[123456789012345678901234567890, -99999999999999999999, 7]").elements) == [1.2345678901234568e29, -1e20, 7])
    }
}
