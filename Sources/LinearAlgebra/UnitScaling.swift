/// D A D with powers of two D that bring the diagonal of a symmetric positive semi-definite A into [½, 2): no digit changes, and what is then
/// judged (rank, definiteness, condition, convergence) does not depend on the units of any row (van der Sluis 1969: no diagonal scaling has
/// a condition number that is smaller by more than the factor n).
public struct UnitScaling: Sendable {
    /// D_ii = 2^(−e_i); 0 where the diagonal is 0.
    public let exponents: [Int]
    /// Whether every e_i is 0.
    public let isIdentity: Bool

    /// - Parameter diagonal: of A. One whose elements all have one exponent, of at most `tame`, is left as it is.
    public init(diagonal: [Double], tame: Int = 100) {
        var exponents = diagonal.map { $0 > 0 && $0.isFinite ? (Int($0.exponent) + 1) >> 1 : 0 }
        let own = zip(exponents, diagonal).filter { $0.1 > 0 }.map(\.0)
        if let least = own.min(), own.max() == least, abs(least) <= tame { exponents = [Int](repeating: 0, count: diagonal.count) }
        self.init(exponents: exponents)
    }

    /// The same scale for all of `count` rows.
    public init(uniform exponent: Int, count: Int) { self.init(exponents: [Int](repeating: exponent, count: count)) }

    init(exponents: [Int]) {
        self.exponents = exponents
        isIdentity = exponents.allSatisfy { $0 == 0 }
    }

    /// What takes T A T to D A D, for T of `other`.
    public func relative(to other: UnitScaling) -> UnitScaling { UnitScaling(exponents: zip(exponents, other.exponents).map { $0 - $1 }) }

    /// D.
    public var factors: [Double] { exponents.map { Double(sign: .plus, exponent: -$0, significand: 1) } }

    /// log₂ of the largest diagonal element over the smallest that is not 0, to 2 or so.
    public static func grading(_ diagonal: [Double]) -> Int {
        let exponents = diagonal.filter { $0 > 0 && $0.isFinite }.map { Int($0.exponent) }
        return (exponents.max() ?? 0) - (exponents.min() ?? 0)
    }

    /// Replaces A by D A D, and returns ‖D A D‖₁; not finite if an element of A is not.
    public func apply(to matrix: Matrix<Double>, on executor: any TileExecutor) throws -> Double {
        if isIdentity { return try matrix.symmetricOneNorm(on: executor) }
        let (n, factors) = (matrix.rows, factors)
        let sums = Storage<Double>(count: n)
        let tiles = TileGrid(rows: n, columns: 1, side: 64, upperOnly: false).tiles
        try executor.forEach(tiles.count) { index in
            unsafe factors.withUnsafeBufferPointer { factors in
                for row in tiles[index].rows {
                    let elements = unsafe matrix.base + row * n
                    let own = unsafe factors[row]
                    // One after the other: the product of the factors may leave the range.
                    for column in 0..<n { unsafe elements[column] = elements[column] * own * factors[column] }
                    sums.set(row, unsafe Double.asum(n, elements))
                }
            }
        }
        return sums.elements.max() ?? 0
    }

    /// D B for B [n, k].
    public func scaledRows(_ matrix: Matrix<Double>) -> Matrix<Double> {
        if isIdentity { return matrix }
        let copy = matrix.copy()
        copy.scaleRows(factors)
        return copy
    }

    /// B D for B [t, n].
    public func scaledColumns(_ matrix: Matrix<Double>) -> Matrix<Double> {
        if isIdentity { return matrix }
        let copy = matrix.copy()
        copy.scaleColumns(factors)
        return copy
    }
}

extension Double {
    /// x 2^e, rounded once, for any e.
    public func scaled(by exponent: Int) -> Double {
        if exponent == 0 || self == 0 || !isFinite { return self }
        // Beyond these nothing but 0 or infinity is left.
        return Double(sign: .plus, exponent: Swift.min(Swift.max(exponent, -2_200), 2_200), significand: self)
    }
}
