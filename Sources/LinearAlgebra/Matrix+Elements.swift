extension Matrix where Element == Double {
    /// A + B.
    public func adding(_ other: Matrix) -> Matrix { combining(other) { $0 + $1 } }

    /// A − B.
    public func subtracting(_ other: Matrix) -> Matrix { combining(other) { $0 - $1 } }

    /// A matrix made element by element from two of one shape.
    public func combining(_ other: Matrix, _ body: (Element, Element) -> Element) -> Matrix {
        precondition(rows == other.rows && columns == other.columns)
        let result = Matrix(uninitializedRows: rows, columns: columns)
        for index in 0..<rows * columns { unsafe result.base[index] = body(base[index], other.base[index]) }
        return result
    }

    /// Aᵀ.
    public var transposed: Matrix {
        let result = Matrix(uninitializedRows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { unsafe result.base[column * rows + row] = base[row * columns + column] }
        }
        return result
    }

    /// The rows with these indices, in this order.
    public func rows(_ indices: [Int]) -> Matrix {
        let result = Matrix(uninitializedRows: indices.count, columns: columns)
        for (target, source) in indices.enumerated() {
            precondition(source >= 0 && source < rows)
            unsafe (result.base + target * columns).update(from: base + source * columns, count: columns)
        }
        return result
    }

    /// The rows of several matrices of as many columns, one below the other.
    public init(stacking parts: [Matrix]) {
        let columns = parts.first?.columns ?? 0
        precondition(parts.allSatisfy { $0.columns == columns })
        self.init(uninitializedRows: parts.reduce(0) { $0 + $1.rows }, columns: columns)
        var start = 0
        for part in parts {
            unsafe (base + start * columns).update(from: part.base, count: part.rows * columns)
            start += part.rows
        }
    }

    /// The columns with these indices, in this order.
    public func columns(_ indices: [Int]) -> Matrix {
        precondition(indices.allSatisfy { $0 >= 0 && $0 < columns })
        let result = Matrix(uninitializedRows: rows, columns: indices.count)
        for row in 0..<rows {
            for (target, source) in indices.enumerated() { unsafe result.base[row * indices.count + target] = base[row * columns + source] }
        }
        return result
    }

    /// The elements A_ii.
    public var diagonal: [Element] { (0..<Swift.min(rows, columns)).map { self[$0, $0] } }

    /// Whether every element is a number, not infinite and not NaN.
    public var isFinite: Bool {
        // A sum is finite only if all are, or overflows: then each is looked at.
        var sum: Element = 0
        for index in 0..<rows * columns { unsafe sum += base[index] }
        if sum.isFinite { return true }
        var all = true
        for index in 0..<rows * columns { unsafe all = all && base[index].isFinite }
        return all
    }

    /// Σ A_ij², the square of the Frobenius norm.
    public var sumOfSquares: Double { rowSquares.reduce(0, +) }

    /// max |A_ij|.
    public var largestMagnitude: Double {
        var largest = 0.0
        for index in 0..<rows * columns { unsafe largest = Swift.max(largest, abs(base[index])) }
        return largest
    }

    /// Adds a number to every element of the diagonal, in place.
    public func addToDiagonal(_ value: Element) {
        for index in 0..<Swift.min(rows, columns) { unsafe base[index * (columns + 1)] += value }
    }

    /// Multiplies row i by s_i, and in a square matrix with `symmetric` column j by s_j, in place.
    public func scaleRows(_ factors: [Element], symmetric: Bool = false) {
        precondition(factors.count == rows && (!symmetric || rows == columns))
        for row in 0..<rows {
            for column in 0..<columns { unsafe base[row * columns + column] *= symmetric ? factors[row] * factors[column] : factors[row] }
        }
    }

    /// Multiplies column j by s_j, in place.
    public func scaleColumns(_ factors: [Element]) {
        precondition(factors.count == columns)
        for row in 0..<rows {
            for column in 0..<columns { unsafe base[row * columns + column] *= factors[column] }
        }
    }

    /// Adds the columns of a matrix of the same shape, each times its factor, in place.
    public func add(_ other: Matrix, scaled factors: [Element]) {
        precondition(rows == other.rows && columns == other.columns && factors.count == columns)
        for row in 0..<rows {
            for column in 0..<columns { unsafe base[row * columns + column] += factors[column] * other.base[row * columns + column] }
        }
    }

    /// Adds the rows of a matrix of as many columns to those from `start` on, in place.
    public func addRows(_ other: Matrix, at start: Int) {
        precondition(columns == other.columns && start >= 0 && start + other.rows <= rows)
        for index in 0..<other.rows * columns { unsafe base[start * columns + index] += other.base[index] }
    }
}
