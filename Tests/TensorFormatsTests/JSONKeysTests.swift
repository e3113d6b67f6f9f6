import TensorFormats
import Testing

/// Keys are bytes: equal ones are refused however they are written, canonically equivalent ones are not.
struct JSONKeysTests {
    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "/a"), (#"{"a":1,"\u0061":2}"#, "/a"), (#"{"é":1,"\u00e9":2}"#, "/é"), (#"{"\ud83d\ude00":1,"😀":2}"#, "/😀"),
        (#"{"":1,"":2}"#, "/"), (#"{"a/b":1,"a\/b":2}"#, "/a~1b"), (#"{"~":[],"x":{},"\u007e":2}"#, "/~0"),
        (#"{"q":[{"a":1,"b":2,"a":3}]}"#, "/q/0/a"),
        (#"{"\u0000":1,"\u0000":2}"#, "/\u{0}"), (#"{"a":{"b":{"c":1,"d":2,"c":3}}}"#, "/a/b/c"), (#"[[1,2],{"k":1,"k":2}]"#, "/1/k"),
    ])
    func duplicates(text: String, pointer: String) {
        let error = fault(text)
        #expect(error?.kind == .duplicateKey && error?.pointer.utf8.elementsEqual(pointer.utf8) == true, "\(text): \(String(describing: error))")
    }

    @Test(arguments: [
        ("\u{E9}", "e\u{301}"), ("\u{212B}", "\u{C5}"), ("\u{1E69}", "s\u{323}\u{307}"), ("K", "\u{212A}"), ("a", "A"), ("", "\\u0000"), ("a", "a "),
    ])
    func differentBytes(one: String, other: String) throws {
        guard case .object(let object) = try parse("{\"\(one)\":1,\"\(other)\":2}") else { throw JSONError(.shape, at: "", "an object expected") }
        #expect(object.members.count == 2)
        guard case .number(let number) = object[one] else { throw JSONError(.shape, at: "", "a number expected") }
        #expect(number.value == 1)
    }

    @Test func sameKeysInDifferentObjects() throws {
        _ = try parse(#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#)
    }

    @Test func manyKeysAreComparedInGoodTime() throws {
        let prefix = String(repeating: "k", count: 100)
        let members = (0..<100_000).map { "\"\(prefix)\($0)\":0" }
        _ = try parse("{" + members.joined(separator: ",") + "}")
        let error = fault("{" + members.joined(separator: ",") + ",\"\(prefix)77\":1}")
        #expect(error?.kind == .duplicateKey && error?.pointer == "/\(prefix)77")
    }

    @Test func membersKeepTheirOrder() throws {
        guard case .object(let object) = try parse(#"{"z":1,"a":2,"m\n":3}"#) else { throw JSONError(.shape, at: "", "an object expected") }
        #expect(object.members.map(\.key) == ["z", "a", "m\n"])
        if object["absent"] != nil { Issue.record("no value expected") }
    }
}
