public import LinearAlgebra

/// Coefficients α [m, k]; where an element is beyond the range of float64, or so small that it loses digits, in units of their own, powers of
/// two for each row and each column, so that what they predict, which need not be extreme, is right all the same.
public struct ScaledCoefficients: Sendable {
    /// α_ij 2^(−r_i − c_j).
    public let matrix: Matrix<Double>
    /// r and c; nil where both are 0.
    public let units: (rows: [Int], columns: [Int])?

    /// - Parameters:
    ///   - matrix: in units `rows` and `columns`.
    ///   - roots: a factor for each row.
    init(_ matrix: Matrix<Double>, rows: [Int], columns: [Int], roots: [Double]?) {
        var own = matrix
        if let roots {
            own = matrix.copy()
            own.scaleRows(roots)
        }
        if rows.allSatisfy({ $0 == 0 }), columns.allSatisfy({ $0 == 0 }) {
            self.init(own)
            return
        }
        let plain = Matrix<Double>(uninitializedRows: own.rows, columns: own.columns)
        var isExact = true
        for row in 0..<own.rows {
            for column in 0..<own.columns {
                let scaled = own[row, column].scaled(by: rows[row] + columns[column])
                plain.storage.set(row * own.columns + column, scaled)
                isExact = isExact && (scaled.isNormal || own[row, column] == 0)
            }
        }
        self.init(isExact ? plain : own, units: isExact ? nil : (rows, columns))
    }

    public init(_ matrix: Matrix<Double>, units: (rows: [Int], columns: [Int])? = nil) {
        precondition(units == nil || units?.rows.count == matrix.rows && units?.columns.count == matrix.columns)
        (self.matrix, self.units) = (matrix, units)
    }

    /// α.
    public var plain: Matrix<Double> {
        guard let units else { return matrix }
        return Matrix(
            rows: matrix.rows, columns: matrix.columns,
            matrix.elements.enumerated().map { $1.scaled(by: units.rows[$0 / matrix.columns] + units.columns[$0 % matrix.columns]) })
    }
}
