internal import Glibc
package import LinearAlgebra
package import NTK

/// Mean and spread of the kernels of finite networks at the first order in 1/n, without sampling any:
///
///     E Θ̂ = Θ + Θ₁/n + O(1/n²),   Var Θ̂ = A/n + O(1/n²),   and the same of the NNGP K̂.
///
/// K̂ is the covariance of the readout's outputs given the layers before it, Θ̂ the tangent kernel of one output, or of the mean over outputs.
/// n is the smallest hidden width; the ratios of others to it are kept.
package struct FiniteWidthTheory: Sendable {
    private(set) var chain: LayerChain
    /// Numbers of a point.
    package let features: Int

    /// - Throws: `ArchitectureError` with the place in the tree of what is no dense layer or activation.
    package init(_ architecture: Layer, features: Int) throws(ArchitectureError) { try self.init(architecture, shape: [features]) }

    /// - Parameter shape: extents of a point; where there are several, the architecture flattens them first.
    package init(_ architecture: Layer, shape: [Int]) throws(ArchitectureError) {
        chain = try LayerChain(architecture)
        features = shape.clampedProduct
        guard shape.count == 1 || chain.flattens else {
            throw ArchitectureError(path: chain.maps[0].path, detail: "flatten expected before this layer: points have the shape \(shape)")
        }
    }

    /// The same where all hidden layers have one width, and the readout one output, whatever the architecture says.
    package var uniform: FiniteWidthTheory {
        var theory = self
        theory.chain = chain.uniform
        return theory
    }

    /// The architecture's own n; nil where it gives no widths.
    package var width: Int? { chain.width }
    /// Whether the tangent kernel itself grows with the width, as in the standard parameterization.
    package var dependsOnWidth: Bool { chain.dependsOnWidth }
    package var hiddenLayers: Int { chain.functions.count }
    /// Whether all averages are closed forms.
    package var isClosed: Bool { chain.functions.allSatisfy(\.isClosed) }
    /// Outputs of the readout.
    package var outputs: Int { chain.outputs }

    /// A kernel with its corrections, [n1, n2] each.
    package struct Moments: Sendable {
        package let limit: Matrix<Double>
        /// Coefficients of 1/n.
        package let correction: Matrix<Double>
        package let variance: Matrix<Double>

        init(rows: Int, columns: Int) {
            limit = Matrix(zeroRows: rows, columns: columns)
            correction = Matrix(zeroRows: rows, columns: columns)
            variance = Matrix(zeroRows: rows, columns: columns)
        }

        fileprivate func set(_ i: Int, _ j: Int, _ values: (Double, Double, Double)) {
            limit.storage.set(i * limit.columns + j, values.0)
            correction.storage.set(i * limit.columns + j, values.1)
            variance.storage.set(i * limit.columns + j, values.2)
        }

        /// √(E ‖Θ̂ − Θ‖² / ‖Θ‖²) in Frobenius norms at a width: variance and squared shift.
        package func relativeSpread(width n: Double) -> Double {
            var (squares, norm) = (0.0, 0.0)
            for ((limit, correction), variance) in zip(zip(limit.elements, correction.elements), variance.elements) {
                squares += max(variance, 0) / n + (correction / n) * (correction / n)
                norm += limit * limit
            }
            return norm > 0 ? (squares / norm).squareRoot() : 0
        }

        /// The smallest n with that at most `tolerance`; nil beyond 2^53.
        package func requiredWidth(tolerance: Double) -> Double? {
            guard relativeSpread(width: 0x1p53) <= tolerance else { return nil }
            var (low, high) = (0.0, 0x1p53)
            // The spread falls with n.
            while high - low > 1 {
                let middle = ((low + high) / 2).rounded(.down)
                if middle > 0 && relativeSpread(width: middle) <= tolerance { high = middle } else { low = middle }
            }
            return high
        }

        /// Whether sums of squares of all numbers are within the range of float64.
        var isInRange: Bool {
            [limit, correction, variance].allSatisfy { matrix in matrix.isFinite && matrix.elements.allSatisfy { abs($0) <= 1e140 } }
        }
    }

    package struct Result: Sendable {
        package let ntk: Moments
        package let nngp: Moments
        /// n times the excess kurtosis 3 V / K² of an output at each point of x1.
        package let excessKurtosis: [Double]
        /// n times the variance of the mean of Θ̂(x, x) over x1; nil with x2.
        package let meanDiagonalVariance: Double?
        /// How far the averages behind the coefficients may be off, relative to the largest of their kind.
        package let errorEstimate: Double
    }

    /// - Parameters:
    ///   - x1: [n1, features]; x2 [n2, features], or nil for the pairs of x1.
    ///   - width: n, on which the limit in the standard parameterization depends.
    ///   - averagesOutputs: whether Θ̂ is the mean over the readout's outputs.
    /// - Throws: `FiniteWidthError.overflow`; what the executor throws.
    /// - Time: a pair and hidden layer take 1 to 10 µs, where averages are no closed forms also a point some ms.
    package func run(
        _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil, width: Double = 1, averagesOutputs: Bool = false,
        on executor: any TileExecutor = ConcurrentTiles()
    ) throws -> Result {
        let pass = try Pass(self, x1, x2, width: width, outputs: averagesOutputs ? Double(outputs) : 1, on: executor)
        return try pass.run(on: executor)
    }
}

package enum FiniteWidthError: Error, Sendable, Equatable {
    /// A number beyond the range of float64.
    case overflow
    /// An activation whose products of four have no average, or none that its expansion finds.
    case noMoments(path: String)
}

extension FiniteWidthTheory {
    /// One request's points, and what belongs to each of them.
    struct Pass: Sendable {
        private let theory: FiniteWidthTheory
        private let isSymmetric: Bool
        private let (rows, columns): (Int, Int)
        /// Of x1, then of x2.
        private let x: [[Double]]
        private let weights: [AffineWeights]
        private let ratios: [Double]
        private let outputs: Double
        private let points: [Point]
        /// ⟨x, x⟩ / n_0.
        private let squares: [Double]

        /// The averages of each hidden layer at one point, and its own entries.
        private struct Point: Sendable {
            var moments: [PointMoments] = []
            /// Where averages are no closed forms.
            var expansions: [HermiteExpansion?] = []
            var last: PointRecursion
        }

        init(
            _ theory: FiniteWidthTheory, _ x1: Matrix<Double>, _ x2: Matrix<Double>?, width: Double, outputs: Double,
            on executor: any TileExecutor
        ) throws {
            self.theory = theory
            isSymmetric = x2 == nil
            (rows, columns) = (x1.rows, x2?.rows ?? x1.rows)
            let x = (0..<x1.rows).map { x1.row($0) } + (0..<(x2?.rows ?? 0)).map { (x2 ?? x1).row($0) }
            self.x = x
            let squares = x.map { Self.product($0, $0) }
            self.squares = squares
            self.outputs = outputs
            let ratios = theory.chain.ratios
            self.ratios = ratios
            let weights = theory.chain.maps.enumerated().map { index, map in
                AffineWeights(map.affine, fanIn: index == 0 ? Double(theory.features) : ratios[index - 1] * width)
            }
            self.weights = weights
            let slots = Slots<Point>(x.count)
            try executor.forEach(x.count) { index in
                slots.set(index, try Self.point(theory.chain, weights, ratios, squares[index]))
            }
            points = slots.values
        }

        /// ⟨x, y⟩ / n_0.
        private static func product(_ x: [Double], _ y: [Double]) -> Double {
            var sum = 0.0
            for index in x.indices { sum += x[index] * y[index] }
            return sum / Double(max(x.count, 1))
        }

        private static func point(
            _ chain: LayerChain, _ weights: [AffineWeights], _ ratios: [Double], _ product: Double
        ) throws(FiniteWidthError) -> Point {
            var point = Point(last: PointRecursion(product: product, weights[0]))
            for (index, function) in chain.functions.enumerated() {
                let q = point.last.k
                var expansion: HermiteExpansion?
                let moments: PointMoments
                switch function.averages {
                case .homogeneous(let rule): moments = rule.point(q)
                case .erf(let rule): moments = rule.point(q)
                case .series:
                    let series = HermiteExpansion(function, q: q)
                    guard series.isUsable else { throw .noMoments(path: chain.maps[index].path) }
                    moments = series.moments
                    expansion = series
                }
                point.moments.append(moments)
                point.expansions.append(expansion)
                point.last.step(weights[index + 1], moments, ratio: ratios[index])
            }
            return point
        }

        private func pair(_ one: Point, _ two: Point, _ products: PairVector) -> (last: PairRecursion, error: Double) {
            var recursion = PairRecursion(products: products, weights[0])
            var error = 0.0
            for (index, function) in theory.chain.functions.enumerated() {
                var moments: PairMoments
                switch function.averages {
                case .homogeneous(let rule): moments = rule.pair(recursion.k[0], recursion.k[1], recursion.k[2])
                case .erf(let rule): moments = rule.pair(recursion.k[0], recursion.k[1], recursion.k[2])
                case .series:
                    guard let left = one.expansions[index], let right = two.expansions[index] else { continue }
                    moments = HermiteExpansion.pair(left, right, covariance: recursion.k[1])
                }
                moments.setCorners(one.moments[index], two.moments[index])
                error = max(error, moments.error)
                recursion.step(weights[index + 1], one.moments[index], moments, two.moments[index], ratio: ratios[index])
            }
            return (recursion, error)
        }

        func run(on executor: any TileExecutor) throws -> Result {
            let (ntk, nngp) = (Moments(rows: rows, columns: columns), Moments(rows: rows, columns: columns))
            let slots = Slots<(covariance: Double, error: Double)>(rows)
            try executor.forEach(rows) { i in
                let left = x[i]
                var (covariance, worst) = (0.0, 0.0)
                for j in (isSymmetric ? i : 0)..<columns {
                    let index = isSymmetric ? j : rows + j
                    let (right, one, two) = (x[index], points[i], points[index])
                    // A point with itself closes on single numbers, and is no limit of pairs.
                    if isSymmetric && i == j || left == right {
                        let last = one.last
                        let variance = last.a + 2 * last.b / outputs
                        ntk.set(i, j, (last.theta, last.theta1, variance))
                        nngp.set(i, j, (last.k, last.k1, last.v))
                        covariance += i == j ? variance : 2 * variance
                    } else {
                        let products = PairVector(squares[i], Self.product(left, right), squares[index], 0)
                        let (last, error) = pair(one, two, products)
                        worst = max(worst, error)
                        covariance += 2 * last.diagonalCovariance(outputs: outputs)
                        ntk.set(i, j, (last.theta[1], last.theta1[1], last.variance(outputs: outputs)))
                        nngp.set(i, j, (last.k[1], last.k1[1], last.v[1, 1]))
                    }
                    if isSymmetric && i != j {
                        for moments in [ntk, nngp] {
                            moments.set(j, i, (moments.limit[i, j], moments.correction[i, j], moments.variance[i, j]))
                        }
                    }
                }
                slots.set(i, (covariance, worst))
            }
            let kurtosis = points.prefix(rows).map { $0.last.k > 0 ? 3 * ($0.last.v / $0.last.k) / $0.last.k : 0 }
            guard ntk.isInRange, nngp.isInRange, kurtosis.allSatisfy(\.isFinite) else { throw FiniteWidthError.overflow }
            let sum = slots.values.reduce(0) { $0 + $1.covariance }
            return Result(
                ntk: ntk, nngp: nngp, excessKurtosis: kurtosis,
                meanDiagonalVariance: isSymmetric ? sum / (Double(rows) * Double(rows)) : nil,
                errorEstimate: max(slots.values.reduce(0) { max($0, $1.error) }, theory.isClosed ? 0 : 1e-12))
        }
    }
}
