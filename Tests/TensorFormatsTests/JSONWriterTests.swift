import TensorFormats
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

    @Test func numbersReadBackAsTheSameBits() throws {
        var generator = SystemRandomNumberGenerator()
        var doubles: [Double] = [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNormalMagnitude, 1 / 3, 1e22, 123_456_789]
        while doubles.count < 10_000 {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { doubles.append(value) }
        }
        var json = JSONWriter()
        json.beginArray()
        try json.values(doubles.span)
        json.endArray()
        let read = try JSONValue.parse(json.bytes).numericArray(at: "")
        #expect(read.elements.map(\.bitPattern) == doubles.map(\.bitPattern))

        var floats = [Float(0.1), .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        while floats.count < 10_000 {
            let value = Float(bitPattern: generator.next())
            if value.isFinite { floats.append(value) }
        }
        var singles = JSONWriter()
        singles.beginArray()
        try singles.values(floats.span)
        singles.endArray()
        #expect(String(decoding: singles.bytes.prefix(5), as: UTF8.self) == "[0.1,")
        #expect(try JSONValue.parse(singles.bytes).numericArray(at: "").elements.map { Float($0).bitPattern } == floats.map(\.bitPattern))
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func onlyFiniteNumbers(value: Double) {
        var json = JSONWriter()
        #expect(throws: NotFiniteError.self) { try json.values([1, value].span) }
    }
}
