internal import LinearAlgebra
internal import TensorFormats

/// What a computation answers: named members in order, each an array or other JSON. Arrays stay as they were computed until they are sent,
/// in whatever form the client wants: a large one never stands twice in memory.
struct Answer: Sendable {
    enum Value: Sendable {
        /// One JSON value.
        case json([UInt8])
        case array(OutputArray)
        /// An object of arrays.
        case arrays([(name: String, array: OutputArray)])
    }

    private(set) var members: [(name: String, value: Value)] = []
    /// The text of the whole, where it was an object already.
    let object: [UInt8]?

    init() { object = nil }

    /// An object that is JSON already; it has no arrays.
    init(object json: String) { object = Array(json.utf8) }

    mutating func append(_ name: String, _ value: Value) { members.append((name, value)) }

    /// A member that is JSON already.
    mutating func append(_ name: String, json: String) { append(name, .json(Array(json.utf8))) }

    mutating func append(_ name: String, text: String) { append(name) { $0.value(text) } }

    /// A member that `write` writes as one JSON value.
    mutating func append<Failure: Error>(_ name: String, _ write: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        var json = JSONWriter()
        try write(&json)
        append(name, .json(json.bytes))
    }

    /// `[[…],…]`.
    mutating func append<Element: AnswerElement>(_ name: String, _ matrix: Matrix<Element>) {
        append(name, matrix, rowShape: [matrix.columns])
    }

    /// A matrix whose rows are arrays of some shape.
    mutating func append<Element: AnswerElement>(_ name: String, _ matrix: Matrix<Element>, rowShape: [Int]) {
        append(name, .array(Element.array([matrix], shape: [matrix.rows] + rowShape)))
    }

    /// `[[[…],…],…]`, or `[[…],…]` for matrices of one column that stand for vectors.
    mutating func append(_ name: String, _ matrices: [Matrix<Double>], asVectors: Bool) {
        guard let first = matrices.first else { return append(name, json: "[]") }
        append(name, .array(OutputArray(matrices, shape: [matrices.count, first.rows] + (asVectors ? [] : [first.columns]))))
    }

    /// `[…]`.
    mutating func append<Element: AnswerElement>(_ name: String, _ values: [Element]) {
        append(name, .array(Element.array([Matrix(rows: values.count, columns: 1, values)], shape: [values.count])))
    }

    /// A list of numbers some of which may be missing, or beyond the range of float64: those are null, and the list is no array then.
    mutating func append(_ name: String, nullable values: [Double?]) {
        let numbers = values.compactMap { $0?.isFinite == true ? $0 : nil }
        if numbers.count == values.count { append(name, numbers) } else { append(name) { $0.list(values) } }
    }

    /// A number; null if there is none, or it is not finite.
    mutating func append(_ name: String, nullable value: Double?) { append(name) { $0.nullable(value) } }

    mutating func append(_ name: String, _ value: Int?) { append(name) { json in if let value { json.value(value) } else { json.null() } } }

    /// The arrays by name, those of an object with its name and a dot before theirs.
    var arrays: [(name: String, array: OutputArray)] {
        members.flatMap { name, value -> [(name: String, array: OutputArray)] in
            switch value {
            case .json: return []
            case .array(let array): return [(name, array)]
            case .arrays(let arrays): return arrays.map { ("\(name).\($0.name)", $0.array) }
            }
        }
    }
}

/// The number types of arrays in answers.
protocol AnswerElement: Scalar, JSONFloat {
    static func array(_ blocks: [Matrix<Self>], shape: [Int]) -> OutputArray
}

extension Double: AnswerElement {
    static func array(_ blocks: [Matrix<Double>], shape: [Int]) -> OutputArray { OutputArray(blocks, shape: shape) }
}

extension Float: AnswerElement {
    static func array(_ blocks: [Matrix<Float>], shape: [Int]) -> OutputArray { OutputArray(blocks, shape: shape) }
}
