internal import LinearAlgebra
internal import TensorFormats

extension ObjectReader {
    /// Targets [n] or [n, k], one row for each of `count` points.
    mutating func targets(_ field: String, count: Int) throws(ProblemDetails) -> (matrix: Matrix<Double>, isVector: Bool)? {
        guard let array = try optionalArray(field) else { return nil }
        let pointer = pointer(to: field)
        guard array.shape == [count] || (array.shape.count == 2 && array.shape[0] == count && array.shape[1] > 0) else {
            throw .invalid(pointer, "targets of shape [\(count)] or [\(count), k] expected, one for each point; shape \(array.shape) came")
        }
        guard !array.hasNulls else { throw .invalid(pointer, "numbers expected in every place; null came") }
        return (Matrix(rows: count, columns: array.shape.count == 2 ? array.shape[1] : 1, array.elements), array.shape.count == 1)
    }
}
