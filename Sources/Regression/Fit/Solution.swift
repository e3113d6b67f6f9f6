internal import LinearAlgebra

/// D y in units of its own for each column, so that neither sums of squares nor products leave the range of float64.
struct ScaledTargets {
    /// D y 2^(−s) [m, k].
    let matrix: Matrix<Double>
    /// s of each column; 0 but for extreme ones.
    let exponents: [Int]

    /// Powers of two within which squares are far from the limits.
    private static let tame = -250...250

    init(_ targets: Matrix<Double>, _ scaling: UnitScaling) {
        let (n, k) = (targets.rows, targets.columns)
        var exponents = [Int](repeating: 0, count: k)
        for column in 0..<k {
            var largest: Int?
            for row in 0..<n where targets[row, column] != 0 && targets[row, column].isFinite {
                largest = max(largest ?? .min, Int(targets[row, column].exponent) - scaling.exponents[row])
            }
            if let largest, !Self.tame.contains(largest) { exponents[column] = largest }
        }
        self.exponents = exponents
        if exponents.allSatisfy({ $0 == 0 }) {
            matrix = scaling.scaledRows(targets)
        } else {
            matrix = Matrix(uninitializedRows: n, columns: k)
            for row in 0..<n {
                for column in 0..<k {
                    matrix.storage.set(row * k + column, targets[row, column].scaled(by: -scaling.exponents[row] - exponents[column]))
                }
            }
        }
    }
}

/// A solution of D (B + Λ) D β = D y, and what it was found with.
struct Solution {
    /// β [m, k], in the units of the targets' columns.
    var coefficients: Matrix<Double>
    var targets: ScaledTargets
    var solver: ScaledSolver
    /// What was added to the diagonal of D B D: λ D², and jitter.
    var shifts: [Double]
    var method: Diagnostics.Method
    var rank: Int
    var reciprocalCondition: Double
    var relativeResidual: Double
    /// log det (B + Λ); nil if no factor tells.
    var logDeterminant: Double?
    var jitter = 0.0
    /// Residuals of the scaled system, where there is a factor in float64.
    var refinement: Refinement?

    /// Sums over rows of each column's products, times 4^s: Σ β y for one.
    func sum(_ column: Int, _ body: (_ row: Int, _ beta: Double, _ target: Double) -> Double) -> Double {
        var sum = 0.0
        for row in 0..<coefficients.rows { sum += body(row, coefficients[row, column], targets.matrix[row, column]) }
        return sum
    }
}

/// (B + Λ)⁻¹ from a solver of the scaled system.
struct ScaledSolver: Sendable {
    let solver: SystemSolver
    let scaling: UnitScaling

    /// W with W Wᵀ = R (B + Λ)⁻¹ Rᵀ, for R [t, m].
    func whiten(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        try solver.whiten(scaling.scaledColumns(rows), on: executor)
    }

    /// R (B + Λ)⁻¹ for R [t, m].
    func solveRows(_ rows: Matrix<Double>, on executor: any TileExecutor) throws -> Matrix<Double> {
        let result = try solver.solveRows(scaling.scaledColumns(rows), on: executor)
        if !scaling.isIdentity { result.scaleColumns(scaling.factors) }
        return result
    }
}

extension UnitScaling {
    /// Powers of two within which a kernel's diagonal, and the reciprocals, are far enough from the limits.
    private static let tame = -960...960

    /// The same scale for all, which brings a diagonal into range as far as that goes; none where it is.
    /// - Parameter diagonal: each as a number and a power of two.
    static func tame(_ diagonal: [(Double, exponent: Int)], count: Int) -> UnitScaling {
        let exponents = diagonal.filter { $0.0 > 0 && $0.0.isFinite }.map { Int($0.0.exponent) + $0.exponent }
        guard let least = exponents.min(), let largest = exponents.max() else { return UnitScaling(uniform: 0, count: count) }
        var power = 0
        if least < tame.lowerBound { power = least - tame.lowerBound }
        if largest - power > tame.upperBound { power = largest - tame.upperBound }
        return UnitScaling(uniform: power / 2, count: count)
    }

    static func tame(_ diagonal: [Double]) -> UnitScaling { tame(diagonal.map { ($0, 0) }, count: diagonal.count) }

    /// log det A − log det D A D.
    var logDeterminant: Double { isIdentity ? 0 : 2 * logarithm(2) * Double(exponents.reduce(0, +)) }
}
