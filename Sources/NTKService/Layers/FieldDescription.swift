internal import TensorFormats

/// What is known of a field of a layer: for the list of layers, and to compare the document with.
struct FieldDescription: Sendable {
    /// What a value is.
    enum Form: Sendable {
        case number
        case integer(ClosedRange<Int>)
        case boolean
        /// One of some words.
        case word([String])
        case text
        case integers(ClosedRange<Int>)
        case array
        /// `"channel"`, or the number of an axis.
        case axis
        case axes
        /// Null, an integer, or a slice, for each axis.
        case selections
        case layer
        case layers
        case activation

        /// As the list of layers has it.
        var name: String {
            switch self {
            case .number: "number"
            case .integer: "integer"
            case .boolean: "boolean"
            case .word: "word"
            case .text: "text"
            case .integers: "integers"
            case .array: "array"
            case .axis: "axis"
            case .axes: "axes"
            case .selections: "selections"
            case .layer: "layer"
            case .layers: "layers"
            case .activation: "activation"
            }
        }

        var range: ClosedRange<Int>? {
            switch self {
            case .integer(let range), .integers(let range): range
            default: nil
            }
        }
    }

    /// What stands for a field that is absent or null.
    enum Standard: Sendable, Equatable {
        case number(Double)
        case integer(Int)
        case boolean(Bool)
        case word(String)
    }

    let name: String
    let form: Form
    var isRequired = false
    /// Nil for a field that is required, or whose absence means what no value does.
    var standard: Standard?
    let words: String

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("type", form.name)
        json.key("required")
        json.value(isRequired)
        json.key("default")
        switch standard {
        case nil: json.null()
        case .number(let number): json.nullable(number)
        case .integer(let integer): json.value(integer)
        case .boolean(let boolean): json.value(boolean)
        case .word(let word): json.value(word)
        }
        if case .word(let values) = form {
            json.key("values")
            json.beginArray()
            for value in values { json.value(value) }
            json.endArray()
        }
        if let range = form.range {
            json.member("minimum", range.lowerBound)
            json.member("maximum", range.upperBound)
        }
        json.member("description", words)
        json.endObject()
    }
}
