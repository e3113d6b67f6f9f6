internal import LinearAlgebra
internal import NTK
internal import TensorFormats

/// Points with any number of axes: a row of `values` is a point in row-major order of `shape`, channels last.
struct PointTensor: Sendable {
    var values: Matrix<Double>
    /// Extents of a point.
    var shape: [Int]
    var hasNulls = false
}

/// Where the channels of an input stand.
enum DataFormat: String, CaseIterable {
    case channelsLast = "channels_last"
    case channelsFirst = "channels_first"

    /// Extents of a point in this order, from those with channels last.
    func ordered(_ shape: [Int]) -> [Int] {
        self == .channelsFirst ? shape.suffix(1) + shape.dropLast() : shape
    }
}

extension ObjectReader {
    /// Points [n, …, channels], or [n, channels, …]; a null is a masked entry.
    mutating func tensor(_ field: String, _ format: DataFormat) throws(ProblemDetails) -> PointTensor {
        try Self.tensor(array(field, "an array of points, [n, …, channels],"), format, at: pointer(to: field))
    }

    mutating func optionalTensor(_ field: String, _ format: DataFormat) throws(ProblemDetails) -> PointTensor? {
        guard let array = try optionalArray(field) else { return nil }
        return try Self.tensor(array, format, at: pointer(to: field))
    }

    private static func tensor(
        _ array: NumericArray, _ format: DataFormat, at pointer: @autoclosure () -> String
    ) throws(ProblemDetails) -> PointTensor {
        guard array.shape.count >= 2, array.shape.allSatisfy({ $0 > 0 }) else {
            throw .invalid(pointer(), "points of shape [n, …, channels] with every extent at least 1 expected; shape \(array.shape) came")
        }
        let shape = Array(array.shape.dropFirst())
        let values = array.elements.matrix(rows: array.shape[0], columns: shape.reduce(1, *))
        guard format == .channelsFirst, shape.count > 1 else { return PointTensor(values: values, shape: shape, hasNulls: array.hasNulls) }
        // Of a JSON text there is room for two copies of its numbers.
        if array.elements.isWhole { try Allowance.take(values.rows * values.columns * MemoryLayout<Double>.stride) }
        let channels = shape[0]
        let positions = values.columns / channels
        let moved = Matrix<Double>(uninitializedRows: values.rows, columns: values.columns)
        for point in 0..<values.rows {
            for channel in 0..<channels {
                let source = unsafe values.base + point * values.columns + channel * positions
                let target = unsafe moved.base + point * values.columns + channel
                for position in 0..<positions { unsafe target[position * channels] = source[position] }
            }
        }
        return PointTensor(values: moved, shape: Array(shape.dropFirst()) + [channels], hasNulls: array.hasNulls)
    }

    /// The adjacency of each point for `aggregate`: [n, V, V], or lists of edges [n, E, 2] with -1 where there is none; `{"edges": …}`
    /// says that it is the latter.
    mutating func pattern(_ field: String, points: Int, spatial: [Int]) throws(ProblemDetails) -> Matrix<Double>? {
        guard var value = optional(field) else { return nil }
        var pointer = pointer(to: field)
        var isEdges = false
        if case .object(let object) = value, let edges = object["edges"], object.members.count == 1 {
            value = edges
            pointer += "/edges"
            isEdges = true
        }
        let array: NumericArray
        do { array = try value.numericArray(at: pointer) } catch { throw ProblemDetails(error) }
        guard !array.hasNulls else { throw .invalid(pointer, "numbers expected in every place; null came") }
        guard array.shape.count == 3, array.shape[0] == points else {
            throw .invalid(pointer, "[\(points), V, V] or edges [\(points), E, 2] expected, one entry for each point; shape \(array.shape) came")
        }
        if !isEdges, array.shape[1] == array.shape[2], array.shape[1] != 2 || spatial.contains(2) {
            return array.elements.matrix(rows: points, columns: array.shape[1] * array.shape[2])
        }
        guard array.shape[2] == 2 else {
            throw .invalid(pointer, "[\(points), V, V] or edges [\(points), E, 2] expected; shape \(array.shape) came")
        }
        return try Self.adjacency(array, nodes: spatial.reduce(1, *), at: pointer)
    }

    private static func adjacency(_ edges: NumericArray, nodes: Int, at pointer: String) throws(ProblemDetails) -> Matrix<Double> {
        let bytes = nodes.multipliedClamped(by: nodes).multipliedClamped(by: edges.shape[0]).multipliedClamped(by: MemoryLayout<Double>.stride)
        // The matrix, and a copy in the precision of the kernel.
        try Allowance.take(bytes.multipliedClamped(by: 2))
        let result = Matrix<Double>(zeroRows: edges.shape[0], columns: nodes * nodes)
        let numbers = Array(edges.elements)
        for point in 0..<edges.shape[0] {
            for edge in 0..<edges.shape[1] {
                let place = (point * edges.shape[1] + edge) * 2
                let (from, to) = (numbers[place], numbers[place + 1])
                if from < 0 || to < 0 { continue }
                guard let from = Int(exactly: from), let to = Int(exactly: to), from < nodes, to < nodes else {
                    throw .invalid("\(pointer)/\(point)/\(edge)", "two nodes from 0 to \(nodes - 1), or -1 for no edge, expected")
                }
                unsafe result.base[point * nodes * nodes + from * nodes + to] += 1
            }
        }
        return result
    }
}
