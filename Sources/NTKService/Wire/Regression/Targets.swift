internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// What is to be learned: numbers, or classes.
enum Targets: Sendable {
    /// [n, k]; `isVector` if they came as [n], and so go back.
    case values(Matrix<Double>, isVector: Bool)
    case classes(ClassTargets)

    /// The matrix that is regressed on.
    var matrix: Matrix<Double> {
        switch self {
        case .values(let matrix, _): matrix
        case .classes(let classes): classes.matrix
        }
    }

    /// Reads `y_train`, or what else numbers are called, or `labels`, exactly one of which must be there.
    init(_ reader: inout ObjectReader, count: Int, values field: String = "y_train") throws(ProblemDetails) {
        let values = try reader.targets(field, count: count)
        let labels = reader.optional("labels")
        switch (values, labels) {
        case (let values?, nil): self = .values(values.matrix, isVector: values.isVector)
        case (nil, let labels?): self = .classes(try ClassTargets(labels, at: reader.pointer(to: "labels"), count: count))
        case (nil, nil): throw .invalid(reader.pointer(to: field), "\(field) (regression) or labels (classification) expected; neither came")
        case (_?, _?): throw .invalid(reader.pointer(to: "labels"), "\(field) or labels expected; both came")
        }
    }
}

/// One class a point, regressed on as one-hot codes less their mean over classes, 1/k.
struct ClassTargets: Sendable {
    enum Label: Sendable, Hashable {
        case integer(Int)
        case text(ExactText)
    }

    /// The classes in ascending order, texts by their code points; integers before texts.
    let classes: [Label]
    /// Of each point the index of its class.
    let indices: [Int]
    /// [n, k].
    let matrix: Matrix<Double>

    /// Elements of that matrix at the most.
    private static let mostCodes = 1 << 27
    /// Bytes of it that need no reservation.
    private static let smallCodes = 1 << 16

    init(_ value: JSONValue, at pointer: String, count: Int) throws(ProblemDetails) {
        let labels = try Self.labels(value, at: pointer)
        guard labels.count == count else { throw .invalid(pointer, "\(count) labels expected, one for each point; \(labels.count) came") }
        let distinct = Set(labels)
        guard count.multipliedClamped(by: distinct.count) <= Self.mostCodes else {
            throw .invalid(pointer, "fewer classes expected; \(distinct.count) among \(count) labels came")
        }
        classes = distinct.sorted(by: Self.ascending)
        let codes = count * classes.count * MemoryLayout<Double>.stride
        if codes > Self.smallCodes { try Allowance.take(codes) }
        let order = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        indices = labels.map { order[$0] ?? 0 }
        matrix = Self.codes(indices, count: classes.count)
    }

    /// The indices [n, 1].
    var indexMatrix: Matrix<Double> { Matrix(rows: indices.count, columns: 1, indices.map { Double($0) }) }

    /// From what was stored.
    init(classes: [Label], indices: [Int]) {
        self.classes = classes
        self.indices = indices
        matrix = Self.codes(indices, count: classes.count)
    }

    private static func codes(_ indices: [Int], count k: Int) -> Matrix<Double> {
        let codes = Matrix<Double>(uninitializedRows: indices.count, columns: k)
        unsafe codes.base.initialize(repeating: -1 / Double(k), count: indices.count * k)
        for (point, index) in indices.enumerated() { unsafe codes.base[point * k + index] += 1 }
        return codes
    }

    static func labels(_ value: JSONValue, at pointer: String) throws(ProblemDetails) -> [Label] {
        var labels: [Label] = []
        switch value {
        case .tensor(let array) where array.shape.count == 1:
            for (index, number) in array.elements.enumerated() {
                guard let integer = Int(exactly: number), abs(number) < 0x1p53 else {
                    throw .invalid("\(pointer)/\(index)", "a string, or an integer below 2^53, expected as label")
                }
                labels.append(.integer(integer))
            }
        case .array(let values):
            for (index, value) in values.enumerated() {
                switch value {
                case .string(let text): labels.append(.text(ExactText(text)))
                case .number(let number):
                    guard let integer = number.integer else { throw .invalid("\(pointer)/\(index)", "a string or an integer expected as label") }
                    labels.append(.integer(integer))
                default: throw .invalid("\(pointer)/\(index)", "a string or an integer expected as label; \(value.kindName) came")
                }
            }
        default: throw .invalid(pointer, "a list of strings or integers expected; \(value.kindName) came")
        }
        return labels
    }

    private static func ascending(_ left: Label, _ right: Label) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.text(let left), .text(let right)): left < right
        case (.integer, .text): true
        case (.text, .integer): false
        }
    }

    /// The class with the largest score in each row; of equal ones the first.
    func predict(_ scores: Matrix<Double>) -> [Label] {
        (0..<scores.rows).map { classes[ClassCalibration.firstLargest(scores.row($0))] }
    }

    /// Labels as a JSON array.
    static func text(_ labels: [Label]) -> String {
        var json = JSONWriter()
        json.beginArray()
        for label in labels {
            switch label {
            case .integer(let integer): json.value(integer)
            case .text(let label): json.value(label.text)
            }
        }
        json.endArray()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
