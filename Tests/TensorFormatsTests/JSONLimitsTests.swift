import TensorFormats
import Testing

struct JSONLimitsTests {
    @Test(arguments: ["[", #"{"a":"#, #"[[1],{"b":"#])
    func depth(opening: String) {
        let limits = JSONLimits(depth: 8)
        let levels = opening.filter { $0 == "[" || $0 == "{" }.count - opening.filter { $0 == "]" }.count
        let closing = String(opening.reversed().filter { $0 == "[" || $0 == "{" }.prefix(levels).map { $0 == "[" ? "]" : "}" })
        for count in 1...12 {
            let text = String(repeating: opening, count: count) + "1" + String(repeating: closing, count: count)
            let error = fault(text, limits: limits)
            #expect((error?.kind == .depth) == (count * levels + 1 > 8), "\(text): \(String(describing: error))")
        }
    }

    @Test func aDepthBombIsRefusedWhateverTheLimit() {
        for limit in [64, 100_000, .max] {
            for opening in ["[", #"{"a":"#, "[1,"] {
                #expect(fault(String(repeating: opening, count: 100_000), limits: JSONLimits(depth: limit))?.kind != nil)
                let closed = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
                #expect(fault(closed, limits: JSONLimits(depth: limit))?.kind == .depth)
            }
        }
    }

    /// Keys and values count one each, whatever an array of numbers holds.
    @Test(arguments: [
        (#"["a","b",1]"#, 4), (#"{"a":1,"b":[1,2,3]}"#, 5), ("[[1,2],[3,4]]", 1), ("[[1],[2,3]]", 1), ("1", 1), (#"{"a":{"b":{}}}"#, 5),
        (#"[[1,2],"a"]"#, 3), ("[true,false,null]", 4),
    ])
    func values(text: String, count: Int) throws {
        _ = try parse(text, limits: JSONLimits(values: count))
        let error = #expect(throws: JSONError.self) { try parse(text, limits: JSONLimits(values: count - 1)) }
        #expect(error?.kind == .size)
    }

    @Test func theValueTooManyHasAPlace() {
        for (limit, pointer) in [(2, "/a"), (3, "/a/0"), (4, "/a/0"), (5, "/a/0/b"), (7, "/a/1"), (8, "/a/1/c")] {
            let error = fault(#"{"a":[{"b":true},{"c":false}]}"#, limits: JSONLimits(values: limit))
            #expect(error?.kind == .size && error?.pointer == pointer, "\(limit): \(String(describing: error))")
        }
    }

    /// With room behind the text, with one byte less, and with none.
    @Test func anyCapacity() throws {
        for spare in [0, 1, JSONValue.padding - 1, JSONValue.padding, JSONValue.padding + 1] {
            for length in [1, 60, 63, 64, 65, 127, 128, 129, 1_000] {
                var bytes: [UInt8] = []
                let text = "[" + (0..<length).map { String($0 % 10) }.joined(separator: ",") + "]"
                bytes.reserveCapacity(text.utf8.count + spare)
                bytes += text.utf8
                #expect(try JSONValue.parse(bytes).numericArray(at: "").elements.map { Int($0) } == (0..<length).map { $0 % 10 })
            }
        }
    }

    @Test func aPointerThroughALongKeyIsShort() {
        let error = fault("{\"" + String(repeating: "é", count: 100_000) + "\":nul}")
        #expect(error?.kind == .syntax && (error?.pointer.utf8.count ?? .max) < 5_000 && error?.pointer.hasPrefix("/éé") == true)
    }
}
