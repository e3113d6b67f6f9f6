internal import Glibc
internal import LinearAlgebra

/// Powers of two for the columns of targets, 0 but for extreme ones, in which squares stay in the range of float64.
struct ColumnUnits: Sendable {
    let exponents: [Int]

    private static let tame = -250...250

    init(exponents: [Int]) { self.exponents = exponents }

    /// - Parameter isAlways: also where a column is not extreme.
    init(_ matrix: Matrix<Double>, always isAlways: Bool = false) {
        exponents = (0..<matrix.columns).map { column in
            let largest = (0..<matrix.rows).reduce(0) { max($0, abs(matrix[$1, column])) }
            guard largest > 0, largest.isFinite else { return 0 }
            let exponent = Int(largest.exponent)
            return isAlways || !Self.tame.contains(exponent) ? exponent : 0
        }
    }

    private var isOne: Bool { exponents.allSatisfy { $0 == 0 } }

    /// The same numbers in these units.
    func taken(from matrix: Matrix<Double>) -> Matrix<Double> { scaled(matrix, sign: -1) }

    /// Numbers in these units as they are.
    func given(to matrix: Matrix<Double>) -> Matrix<Double> { scaled(matrix, sign: 1) }

    private func scaled(_ matrix: Matrix<Double>, sign: Int) -> Matrix<Double> {
        if isOne { return matrix }
        let result = Matrix<Double>(uninitializedRows: matrix.rows, columns: matrix.columns)
        for row in 0..<matrix.rows {
            for column in 0..<matrix.columns {
                result.storage.set(row * matrix.columns + column, matrix[row, column].scaled(by: sign * exponents[column]))
            }
        }
        return result
    }

    /// The square root of the sum of squares, which may leave the range of float64.
    static func length(of values: [Double]) -> Double {
        let largest = values.reduce(0) { max($0, abs($1)) }
        guard largest > 0, largest.isFinite else { return largest }
        return largest * values.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    }

    /// The square root of the sum of squares of a matrix in these units, each column relative to its largest.
    func length(_ matrix: Matrix<Double>) -> Double {
        var total = 0.0
        for column in 0..<matrix.columns {
            let largest = (0..<matrix.rows).reduce(0) { max($0, abs(matrix[$1, column])) }
            if largest == 0 { continue }
            let sum = (0..<matrix.rows).reduce(0) { $0 + (matrix[$1, column] / largest) * (matrix[$1, column] / largest) }
            total = hypot(total, (largest * sum.squareRoot()).scaled(by: exponents[column]))
        }
        return total
    }
}
