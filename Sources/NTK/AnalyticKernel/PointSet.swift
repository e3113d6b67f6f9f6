import Foundation
import LinearAlgebra

/// What belongs to the points of one data set and not to pairs: unit vectors, the variance of every layer, the kernels' diagonals.
///
/// All of it is computed in float64 by each point's own exact formula, in O(points · (features + layers)).
struct PointSet<Element: KernelScalar>: Sendable {
    /// Points, without the padding.
    let count: Int
    let features: Int
    /// x / |x| in rows, a zero row for x = 0; padded with zero rows to a multiple of `rowPadding`.
    let units: Storage<Element>
    /// One entry for each step of the program.
    let stages: [Stage]
    /// Standard deviation of the output at each point: √K(x, x).
    let outputStd: Storage<Element>
    /// K(x, x) and Θ(x, x).
    let nngpDiagonal: [Double]
    let ntkDiagonal: [Double]

    /// Rows of units that the last tile may read beyond the points.
    static var rowPadding: Int { 64 }

    /// Per-point constants of one step.
    enum Stage: Sendable {
        /// `std`: √K before the step. `constant`: the new variance's shares, if the step adds a bias.
        case affine(std: Storage<Element>, constant: Shares?)
        case abRelu
        case erf(ErfConstants, offset: Shares?)
    }

    /// s = √(share of the old features), e = √(share of the added constant): s² + e² = 1.
    struct Shares: Sendable {
        var s: Storage<Element>
        var e: Storage<Element>
    }

    /// With Q = b² q: p² = 2Q/(1+2Q), r² = 1/(1+2Q), A = asin p², ψ = π/2 − A, cosine = cos A, scale = √A.
    struct ErfConstants: Sendable {
        var p, r, psi, cosine, scale: Storage<Element>
    }

    /// - Parameter set: names the data set in an error.
    init(_ x: Matrix<Double>, program: KernelProgram, set: String, on executor: any TileExecutor) throws {
        count = x.rows
        features = x.columns
        units = Storage(count: x.rows.roundedUp(to: Self.rowPadding) * x.columns)
        let norms = try Self.normalize(x, into: units, on: executor)
        var points = Points(variance: norms.map { ($0 / Double(x.columns).squareRoot()).squared })
        var stages: [Stage] = []
        for step in program.steps { stages.append(Self.advance(&points, by: step)) }
        self.stages = stages
        outputStd = Self.padded(points.variance.map { $0.squareRoot() })
        nngpDiagonal = points.variance
        ntkDiagonal = points.theta
        let largest = Double(Element.greatestFiniteMagnitude)
        // A value that overflowed on the way is infinite or not a number here, or was noted by `advance`.
        for point in 0..<count
        where !(points.largest[point] <= largest && nngpDiagonal[point] <= largest && ntkDiagonal[point] <= largest) {
            throw KernelError.overflow(set: set, point: point, precision: Element.precisionName)
        }
    }

    /// Variances and tangent kernels of the points at one place in the network.
    private struct Points {
        var variance: [Double]
        var theta: [Double]
        /// The largest number met so far.
        var largest: [Double]

        init(variance: [Double]) {
            self.variance = variance
            theta = [Double](repeating: 0, count: variance.count)
            largest = variance
        }

        mutating func note(_ value: Double, at point: Int) {
            // Not `max`, which would drop a NaN.
            if !(value <= largest[point]) { largest[point] = value }
        }
    }

    private static func advance(_ points: inout Points, by step: KernelProgram.Step) -> Stage {
        switch step {
        case .affine(let weight, let bias, let input, let constant):
            let std = padded(points.variance.map { $0.squareRoot() })
            for point in points.theta.indices {
                points.theta[point] = weight * points.theta[point] + input * points.variance[point] + constant
                points.note(points.theta[point], at: point)
            }
            return .affine(std: std, constant: addConstant(&points, weight: weight, constant: bias))
        case .abRelu(let a, let b):
            let power = (a * a + b * b) / 2
            for point in points.theta.indices {
                // At u = v = 0 the slope is the mean of a and b, as in neural-tangents.
                let slope = points.variance[point] > 0 ? power : ((a + b) / 2).squared
                points.theta[point] *= slope
                points.variance[point] *= power
                points.note(points.variance[point], at: point)
            }
            return .abRelu
        case .erf(let a, let b, let c):
            let q = points.variance.map { b * b * $0 }
            let angle = q.map { atan2(2 * $0, (1 + 4 * $0).squareRoot()) }
            let constants = ErfConstants(
                p: padded(q.map { (2 * $0 / (1 + 2 * $0)).squareRoot() }),
                r: padded(q.map { (1 / (1 + 2 * $0)).squareRoot() }),
                psi: padded(q.map { atan2((1 + 4 * $0).squareRoot(), 2 * $0) }),
                cosine: padded(q.map { (1 + 4 * $0).squareRoot() / (1 + 2 * $0) }),
                scale: padded(angle.map { $0.squareRoot() }))
            for point in points.theta.indices {
                points.note(4 * q[point], at: point)
                points.theta[point] *= a * a * b * b * (4 / .pi) / (1 + 4 * q[point]).squareRoot()
                points.variance[point] = a * a * (2 / .pi) * angle[point]
            }
            return .erf(constants, offset: addConstant(&points, weight: 1, constant: c * c))
        }
    }

    /// K ← weight K + constant; returns the shares of the two terms, nil without a constant.
    private static func addConstant(_ points: inout Points, weight: Double, constant: Double) -> Shares? {
        let old = points.variance
        for point in old.indices {
            points.variance[point] = weight * old[point] + constant
            points.note(points.variance[point], at: point)
        }
        guard constant > 0 else { return nil }
        return Shares(
            s: padded(zip(old, points.variance).map { (weight * $0 / $1).squareRoot() }),
            e: padded(points.variance.map { (constant / $0).squareRoot() }))
    }

    /// Copies to a storage that the loops can overrun by less than a run and by the padding of the last tile.
    private static func padded(_ values: [Double]) -> Storage<Element> {
        let storage = Storage<Element>(count: values.count + rowPadding)
        unsafe storage.base.initialize(repeating: 0, count: storage.count)
        for (index, value) in values.enumerated() { unsafe storage.base[index] = Element(value) }
        return storage
    }

    /// Fills `units` and returns |x| of every point.
    private static func normalize(_ x: Matrix<Double>, into units: Storage<Element>, on executor: any TileExecutor) throws -> [Double] {
        let norms = Storage<Double>(count: x.rows)
        let columns = x.columns
        let blocks = TileGrid(rows: x.rows, columns: 1, side: rowPadding, upperOnly: false).tiles
        try executor.forEach(blocks.count) { block in
            for row in blocks[block].rows {
                unsafe norms.base[row] = Element.normalize(x.base + row * columns, units.base + row * columns, columns)
            }
        }
        let padding = units.count - x.rows * columns
        unsafe (units.base + x.rows * columns).initialize(repeating: 0, count: padding)
        return unsafe Array(UnsafeBufferPointer(start: norms.base, count: x.rows))
    }
}

extension Double {
    var squared: Double { self * self }
}

extension Int {
    /// The next multiple of `size` that is not below.
    func roundedUp(to size: Int) -> Int { (self + size - 1) / size * size }
}
