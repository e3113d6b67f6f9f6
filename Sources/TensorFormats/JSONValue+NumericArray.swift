extension JSONValue {
    /// The value as a dense array: a nest of numbers, or `{"shape": [2, 2], "data": [1, 2, 3, 4]}` in row-major order.
    /// - Throws: `JSONError` of kind `shape` that points at what is wrong, below `pointer`.
    package func numericArray(at pointer: @autoclosure () -> String) throws(JSONError) -> NumericArray {
        switch self {
        case .tensor(let array): return array
        case .ragged(let error): throw JSONError(.shape, at: pointer() + error.pointer, error.detail)
        case .object(let object): return try Self.shaped(object, at: pointer())
        case .array(let values): throw Self.notNumeric(values, at: pointer())
        default: throw JSONError(.shape, at: pointer(), "an array of numbers expected; \(kindName) came")
        }
    }

    private static func shaped(_ object: JSONObject, at pointer: String) throws(JSONError) -> NumericArray {
        for (key, _) in object.members where key != "shape" && key != "data" {
            throw JSONError(.shape, at: pointer + "/" + key.jsonPointerToken, "an array of numbers, or an object of shape and data, expected")
        }
        guard let shape = object["shape"], let data = object["data"] else {
            throw JSONError(.shape, at: pointer, "an array of numbers, or an object of both shape and data, expected")
        }
        guard case .tensor(let extents) = shape, extents.shape.count == 1 else {
            throw JSONError(.shape, at: pointer + "/shape", "a list of extents expected, such as [2, 3]")
        }
        guard case .tensor(let flat) = data, flat.shape.count == 1 else {
            throw JSONError(.shape, at: pointer + "/data", "a flat list of numbers in row-major order expected")
        }
        var product = 1
        var counts: [Int] = []
        for (index, extent) in extents.elements.enumerated() {
            guard let count = Int(exactly: extent), count >= 0 else {
                throw JSONError(.shape, at: "\(pointer)/shape/\(index)", "an integer that is not negative expected")
            }
            counts.append(count)
            let (result, overflow) = product.multipliedReportingOverflow(by: count)
            guard !overflow else { throw JSONError(.shape, at: pointer + "/shape", "the product of the extents is beyond any array") }
            product = result
        }
        guard product == flat.elements.count else {
            throw JSONError(.shape, at: pointer + "/data", "\(product) numbers expected for shape \(counts); \(flat.elements.count) came")
        }
        return NumericArray(shape: counts, elements: flat.elements, hasNulls: flat.hasNulls)
    }

    /// Points at the first value in a nest that is neither a number nor an array.
    private static func notNumeric(_ values: [JSONValue], at pointer: String) -> JSONError {
        for (index, value) in values.enumerated() {
            switch value {
            case .number, .null, .tensor: continue
            case .ragged(let error): return JSONError(.shape, at: "\(pointer)/\(index)\(error.pointer)", error.detail)
            case .array(let nested): return notNumeric(nested, at: "\(pointer)/\(index)")
            default: return JSONError(.shape, at: "\(pointer)/\(index)", "a number expected; \(value.kindName) came")
            }
        }
        return JSONError(.shape, at: pointer, "an array of numbers expected")
    }
}

extension String {
    /// The text as one reference token of a JSON pointer (RFC 6901 §3).
    package var jsonPointerToken: String {
        String(
            decoding: utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "~"): Array("~0".utf8)
                case UInt8(ascii: "/"): Array("~1".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
    }
}
