internal import TensorFormats

extension JSONValue {
    /// The value as JSON without spaces, the same text for the same value: members in ascending order of their names' code points, those that are null
    /// left out, numbers as float64 in their shortest digits.
    var canonicalText: String {
        var json = JSONWriter()
        write(to: &json, sorted: true)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// The value as JSON, members in their own order.
    func write(to json: inout JSONWriter, sorted: Bool = false) {
        switch self {
        case .null, .ragged, .file: json.null()
        case .bool(let bool): json.value(bool)
        case .number(let number):
            if let integer = number.integer { json.value(integer) } else { Self.write(number.value, to: &json) }
        case .string(let text): json.value(text)
        case .array(let values):
            json.beginArray()
            for value in values { value.write(to: &json, sorted: sorted) }
            json.endArray()
        case .tensor(let array): Self.write(array.shape[...], array.elements[...], to: &json)
        case .object(let object):
            json.beginObject()
            let members = sorted ? object.members.sorted { ExactText($0.key) < ExactText($1.key) } : object.members
            for (key, value) in members {
                if sorted, case .null = value { continue }
                json.key(key)
                value.write(to: &json, sorted: sorted)
            }
            json.endObject()
        }
    }

    private static func write(_ shape: ArraySlice<Int>, _ elements: Slice<NumericElements>, to json: inout JSONWriter) {
        guard let extent = shape.first else {
            if let number = elements.first { write(number, to: &json) }
            return
        }
        json.beginArray()
        let size = extent == 0 ? 0 : elements.count / extent
        for index in 0..<extent {
            let start = elements.startIndex + index * size
            write(shape.dropFirst(), elements[start..<start + size], to: &json)
        }
        json.endArray()
    }

    /// An integer without a fraction, as it would have come; what was null is NaN in an array.
    private static func write(_ number: Double, to json: inout JSONWriter) {
        if let integer = Int(exactly: number), abs(number) < 0x1p53 {
            json.value(integer)
        } else {
            json.nullable(number)
        }
    }
}
