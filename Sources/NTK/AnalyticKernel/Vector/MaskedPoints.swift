import LinearAlgebra

/// Vectors with masked entries (NaN): these count as zero, and a point with nothing else is left out altogether.
struct MaskedPoints {
    let values: Matrix<Double>
    /// Points without a single number, whose kernel values are zero.
    let missing: [Int]

    init(_ x: Matrix<Double>) {
        let count = x.rows * x.columns
        guard unsafe UnsafeBufferPointer(start: x.base, count: count).contains(where: \.isNaN) else {
            values = x
            missing = []
            return
        }
        let copy = x.copy()
        var missing: [Int] = []
        for row in 0..<x.rows {
            let numbers = unsafe UnsafeMutableBufferPointer(start: copy.base + row * x.columns, count: x.columns)
            if unsafe numbers.allSatisfy(\.isNaN) { missing.append(row) }
            for column in 0..<x.columns where unsafe numbers[column].isNaN { unsafe numbers[column] = 0 }
        }
        values = copy
        self.missing = missing
    }
}

extension Matrix {
    /// Sets whole rows and columns to zero, in place.
    func clear(rows: [Int], columns: [Int]) {
        for row in rows { unsafe (base + row * self.columns).update(repeating: 0, count: self.columns) }
        for column in columns {
            for row in 0..<self.rows { unsafe base[row * self.columns + column] = 0 }
        }
    }
}
