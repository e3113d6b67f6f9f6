import TensorFormats
import Testing

/// Nests that are no arrays, each with the place where it shows.
struct JSONRaggedTests {
    @Test(arguments: [
        ("[[1,2],[3]]", "/x/1", "2 entries expected, as in those before it; 1 came"),
        ("[[1,2,3],[4,5,6],[7,8],[9]]", "/x/2", "3 entries expected"),
        ("[[1],[2,3]]", "/x/1", "1 entry expected"),
        ("[[[1,2],[3,4]],[[5,6],[7,8,9]]]", "/x/1/1", "2 entries expected"),
        ("[[[1,2],[3,4]],[[5,6]]]", "/x/1", "2 entries expected, as in those before it; 1 came"),
        ("[[[[1]]],[[[1]]],[[[1],[2]]]]", "/x/2/0", "1 entry expected"),
        ("[1,[2]]", "/x/1", "a number expected, as before it; an array came"),
        ("[[1,2],[3,[4]]]", "/x/1/1", "a number expected, as before it; an array came"),
        ("[[1],2]", "/x/1", "an array expected, as before it; a number came"),
        ("[[[1]],[2]]", "/x/1/0", "an array expected, as before it; a number came"),
        ("[[1],null]", "/x/1", "an array expected"),
        ("[null,[1]]", "/x/1", "a number expected"),
        ("[[],[1]]", "/x/1", "0 entries expected"),
        ("[[],1]", "/x/1", "an array expected"),
        ("[[],[[]]]", "/x/1/0", "a number expected"),
        ("[[[]],[]]", "/x/1", "1 entry expected, as in those before it; 0 came"),
        ("[[1,2],[3],[[4]],5]", "/x/1", "2 entries expected"),
    ])
    func ragged(text: String, pointer: String, detail: String) throws {
        for spaced in [text, text.replacing(",", with: " ,\n\t"), text.replacing("[", with: "[ ").replacing("]", with: " ]")] {
            let error = fault(spaced)
            #expect(
                error?.kind == .shape && error?.pointer == pointer && error?.detail.contains(detail) == true,
                "\(spaced): \(String(describing: error))")
            guard case .ragged = try parse(spaced) else { throw JSONError(.shape, at: "", "a ragged nest expected") }
        }
    }

    @Test(arguments: [
        (#"[1,"a"]"#, "/x/1", "a string came"), (#"[[1,2],[3,true]]"#, "/x/1/1", "a boolean came"), (#"[[1],{}]"#, "/x/1", "an object came"),
        (#"[[[1],[2]],[[3],["4"]]]"#, "/x/1/1/0", "a string came"), (#"["a"]"#, "/x/0", "a string came"), (#"[[],["a"]]"#, "/x/1/0", "a string came"),
        (#"[[1,[2]],"a"]"#, "/x/0/1", "an array came"), (#"[{"shape":[1],"data":[1]}]"#, "/x/0", "an object came"),
        (#""1""#, "/x", "a string came"), ("null", "/x", "null came"), ("1", "/x", "a number came"), ("{}", "/x", "shape and data"),
    ])
    func notOfNumbers(text: String, pointer: String, detail: String) {
        let error = fault(text)
        #expect(error?.kind == .shape && error?.pointer == pointer && error?.detail.contains(detail) == true, "\(text): \(String(describing: error))")
    }

    @Test(arguments: [
        (#"{"shape":[2,3],"data":[1,2,3,4,5]}"#, "/x/data"), (#"{"shape":2,"data":[1,2]}"#, "/x/shape"),
        (#"{"shape":[[2]],"data":[1,2]}"#, "/x/shape"),
        (#"{"shape":[1.5],"data":[1]}"#, "/x/shape/0"), (#"{"shape":[1,-1],"data":[1]}"#, "/x/shape/1"),
        (#"{"shape":[null],"data":[1]}"#, "/x/shape/0"),
        (#"{"shape":["1"],"data":[1]}"#, "/x/shape"), (#"{"shape":[1e300],"data":[1]}"#, "/x/shape/0"),
        (#"{"shape":[3037000500,3037000500],"data":[1]}"#, "/x/shape"), (#"{"shape":[2,2],"data":[[1,2],[3,4]]}"#, "/x/data"),
        (#"{"data":[1]}"#, "/x"), (#"{"shape":[1]}"#, "/x"), (#"{"shape":[1],"data":[1],"a/b":1}"#, "/x/a~1b"),
        (#"{"shape":[2],"data":"a"}"#, "/x/data"),
    ])
    func shapeAndDataThatDisagree(text: String, pointer: String) {
        let error = fault(text)
        #expect(error?.kind == .shape && error?.pointer == pointer, "\(text): \(String(describing: error))")
    }

    @Test(arguments: [
        ("[]", [0]), ("[[],[]]", [2, 0]), ("[[[],[]]]", [1, 2, 0]), ("[null]", [1]), ("[[[[5]]]]", [1, 1, 1, 1]),
        (#"{"shape":[0,3],"data":[]}"#, [0, 3]),
        (#"{"shape":[1,2,1],"data":[1,2]}"#, [1, 2, 1]), (" [ [ 1 ,\t2 ]\n, [ 3\r, 4 ] ] ", [2, 2]),
    ])
    func rectangular(text: String, shape: [Int]) throws {
        let array = try array(text)
        #expect(array.shape == shape && array.elements.count == shape.reduce(1, *))
    }

    /// Values that are tried as an array of numbers, turn out to be none, and are read again, come out whole.
    @Test func mixedNestsKeepTheirValues() throws {
        let text = #"{"a":[[1,2],[[3,4],[5,"b",[6,7]],[8]],9,[[10],[11,12]],{"c":[13,14]}],"d":[15]}"#
        guard case .object(let object) = try parse(text), case .array(let outer) = object["a"], case .array(let inner) = outer[1],
            case .array(let innermost) = inner[1], case .tensor(let last) = innermost[2], case .object(let nested) = outer[4]
        else { throw JSONError(.shape, at: "", "another tree expected") }
        #expect(outer.count == 5 && inner.count == 3 && innermost.count == 3)
        #expect(Array(last.elements) == [6, 7])
        #expect(try Array(outer[0].numericArray(at: "").elements) == [1, 2])
        #expect(try Array(inner[0].numericArray(at: "").elements) == [3, 4])
        #expect(throws: JSONError.self) { try outer[3].numericArray(at: "") }
        #expect(try nested["c"].map { try Array($0.numericArray(at: "").elements) } == [13, 14])
        #expect(try object["d"].map { try Array($0.numericArray(at: "").elements) } == [15])
    }

    /// Hostile: the odd value stands at the end of the innermost of many arrays. Each of them is not tried in turn.
    @Test func aDeepMixedNestIsReadInLinearTime() throws {
        let row = "[" + String(repeating: "1,", count: 200_000) + "1],"
        let text = String(repeating: "[" + row, count: 60) + "[\"a\"" + String(repeating: "]", count: 61)
        var levels = 0
        var value = try parse(text)
        while case .array(let items) = value, let last = items.last {
            value = last
            levels += 1
        }
        #expect(levels == 61)
    }
}
