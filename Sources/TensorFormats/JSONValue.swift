/// A JSON value in which every rectangular nest of numbers is one array.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    /// An array that holds something else than numbers.
    case array([JSONValue])
    case object(JSONObject)
    case tensor(NumericArray)
    /// A nest of numbers that is not rectangular; the error's pointer is relative to it.
    indirect case ragged(JSONError)
    /// A file that came as a part of the request and is no array.
    case file(FileContent)

    /// What the value is, for messages.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array, .tensor, .ragged: "an array"
        case .object: "an object"
        case .file: "a file"
        }
    }
}

/// The bytes of a file, which stay where the body of the request has them.
package struct FileContent: Sendable {
    package let bytes: [UInt8]
    /// Where in `bytes` the file stands.
    package let range: Range<Int>

    package init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }
}

/// A number, exact also where it is an integer beyond 2⁵³.
package enum JSONNumber: Sendable, Equatable {
    case double(Double)
    case signed(Int64)
    /// Above `Int64.max`.
    case unsigned(UInt64)

    /// The nearest float64.
    package var value: Double {
        switch self {
        case .double(let value): value
        case .signed(let value): Double(value)
        case .unsigned(let value): Double(value)
        }
    }

    /// The value as an integer, if it is one without loss.
    package var integer: Int? {
        switch self {
        case .double(let value): Int(exactly: value)
        case .signed(let value): Int(value)
        case .unsigned: nil
        }
    }
}

/// The members of an object in their order.
package struct JSONObject: Sendable {
    package let members: [(key: String, value: JSONValue)]

    package init(members: [(key: String, value: JSONValue)]) {
        self.members = members
    }

    /// The value of a key, compared by its bytes: `String ==` would let different texts pass as equal.
    package subscript(_ key: String) -> JSONValue? {
        members.first { $0.key.utf8.count == key.utf8.count && $0.key.isSame(as: key) }?.value
    }
}

/// A dense array of float64 in row-major order. All arrays of one JSON text share one buffer.
package struct NumericArray: Sendable, Equatable {
    /// Extents, outermost first; empty for a scalar.
    package let shape: [Int]
    /// As many elements as the product of the extents; a `null` is a NaN.
    package let elements: NumericElements
    package let hasNulls: Bool

    package init(shape: [Int], elements: NumericElements, hasNulls: Bool = false) {
        self.shape = shape
        self.elements = elements
        self.hasNulls = hasNulls
    }
}

extension JSONValue {
    /// The elements of a list, also of one that was read as an array of numbers; nil for anything else.
    package var listElements: [JSONValue]? {
        switch self {
        case .array(let values): values
        case .tensor(let array) where array.shape.count == 1:
            array.elements.map { $0.isNaN ? .null : .number(.double($0)) }
        default: nil
        }
    }
}
