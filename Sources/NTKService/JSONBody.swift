internal import ComputeExecutor
internal import HTTP1
internal import LinearAlgebra
internal import TensorFormats

/// A JSON answer in pieces that are encoded when the client has taken those before: a large matrix never stands twice in memory.
struct JSONBody: Sendable {
    typealias Piece = @Sendable () throws -> [UInt8]

    /// Answers below this many numbers are encoded whole.
    private static let wholeNumbers = 8_192
    /// Numbers in a piece of a large one: about 300 kB of text.
    private static let pieceNumbers = 16_384

    private(set) var pieces: [Piece] = []
    private var numbers = 0

    mutating func append(_ text: String) { pieces.append { Array(text.utf8) } }

    /// `"name":[[…],…]`, with a comma before it unless `isFirst`.
    mutating func append<Element: Scalar & JSONFloat>(_ name: String, _ matrix: Matrix<Element>, isFirst: Bool) {
        append("\(isFirst ? "" : ",")\"\(name)\":[")
        let rowsEach = max(1, Self.pieceNumbers / max(matrix.columns, 1))
        for start in stride(from: 0, to: matrix.rows, by: rowsEach) {
            let end = min(start + rowsEach, matrix.rows)
            pieces.append {
                try matrix.withElements { elements in
                    var json = JSONWriter(continuingArray: start > 0)
                    json.reserve(numbers: (end - start) * matrix.columns)
                    try json.rows(elements.extracting(start * matrix.columns..<end * matrix.columns), columns: matrix.columns)
                    return json.bytes
                }
            }
        }
        append("]")
        numbers += matrix.rows * matrix.columns
    }

    /// `"name":[[…],…]` of a matrix whose rows are arrays of some shape.
    mutating func append<Element: Scalar & JSONFloat>(_ name: String, _ matrix: Matrix<Element>, rowShape: [Int], isFirst: Bool) {
        if rowShape.count == 1 { return append(name, matrix, isFirst: isFirst) }
        append("\(isFirst ? "" : ",")\"\(name)\":[")
        let rowsEach = max(1, Self.pieceNumbers / max(matrix.columns, 1))
        for start in stride(from: 0, to: matrix.rows, by: rowsEach) {
            let end = min(start + rowsEach, matrix.rows)
            pieces.append {
                try matrix.withElements { elements in
                    var json = JSONWriter(continuingArray: start > 0)
                    json.reserve(numbers: (end - start) * matrix.columns)
                    for row in start..<end {
                        try json.nested(elements.extracting(row * matrix.columns..<(row + 1) * matrix.columns), shape: rowShape[...])
                    }
                    return json.bytes
                }
            }
        }
        append("]")
        numbers += matrix.rows * matrix.columns
    }

    /// `,"name":[[[…],…],…]`, or `,"name":[[…],…]` for matrices of one column that stand for vectors.
    mutating func append(_ name: String, _ matrices: [Matrix<Double>], asVectors: Bool) {
        append(",\"\(name)\":[")
        for (index, matrix) in matrices.enumerated() {
            pieces.append {
                try matrix.withElements { elements in
                    var json = JSONWriter(continuingArray: index > 0)
                    json.reserve(numbers: elements.count)
                    json.beginArray()
                    if asVectors { try json.values(elements) } else { try json.rows(elements, columns: matrix.columns) }
                    json.endArray()
                    return json.bytes
                }
            }
            numbers += matrix.rows * matrix.columns
        }
        append("]")
    }

    /// `"name":[…]`.
    mutating func append<Element: Scalar & JSONFloat>(_ name: String, _ values: [Element], isFirst: Bool) {
        pieces.append {
            var json = JSONWriter()
            json.reserve(numbers: values.count)
            json.beginArray()
            try json.values(values.span)
            json.endArray()
            return "\(isFirst ? "" : ",")\"\(name)\":".utf8 + json.bytes
        }
        numbers += values.count
    }

    /// The content for an answer. Large ones are encoded on `executor`, as many pieces ahead as it has workers.
    func content(on executor: ComputeExecutor) async throws -> ResponseBody {
        if numbers <= Self.wholeNumbers {
            var bytes: [UInt8] = []
            for piece in pieces { bytes += try piece() }
            return .bytes(bytes)
        }
        let stream = PieceStream(pieces: pieces, ahead: executor.width, executor: executor)
        return .stream(length: nil) { try await stream.next() }
    }
}

extension JSONWriter {
    /// An array of some shape; a number where there are no extents.
    fileprivate mutating func nested<Number: JSONFloat>(_ numbers: Span<Number>, shape: ArraySlice<Int>) throws(NotFiniteError) {
        guard let extent = shape.first else { return try value(numbers[0]) }
        beginArray()
        if shape.count == 1 {
            try values(numbers)
        } else {
            let size = numbers.count / max(extent, 1)
            for index in 0..<extent { try nested(numbers.extracting(index * size..<(index + 1) * size), shape: shape.dropFirst()) }
        }
        endArray()
    }
}

/// Encodes pieces ahead of the one that is being sent, and hands them out in order.
private actor PieceStream {
    private let pieces: [JSONBody.Piece]
    private let ahead: Int
    private let executor: ComputeExecutor
    private var tasks: [Task<[UInt8], any Error>] = []
    private var begun = 0

    init(pieces: [JSONBody.Piece], ahead: Int, executor: ComputeExecutor) {
        self.pieces = pieces
        self.ahead = ahead
        self.executor = executor
    }

    deinit {
        for task in tasks { task.cancel() }
    }

    func next() async throws -> [UInt8]? {
        while begun < pieces.count, tasks.count <= ahead {
            let piece = pieces[begun]
            tasks.append(Task { [executor] in try await executor.run { _ in try piece() } })
            begun += 1
        }
        guard !tasks.isEmpty else { return nil }
        return try await tasks.removeFirst().value
    }
}
