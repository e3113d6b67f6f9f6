internal import Glibc
public import LinearAlgebra

/// (K + λI) α = y by preconditioned conjugate gradients (Hestenes & Stiefel 1952), all columns of y at a time, each with its own steps.
public struct ConjugateGradient: Sendable {
    public let solution: Matrix<Double>
    public let iterations: Int
    /// max over columns of ‖y − (K + λI)α‖₂ / ‖y‖₂.
    public let residual: Double

    /// - Parameters:
    ///   - multiply: (K + λI) V.
    ///   - precondition: an approximate inverse, symmetric and positive definite.
    ///   - tolerance: the residual at which it ends.
    public init(
        _ right: Matrix<Double>, tolerance: Double, mostIterations: Int, precondition: (Matrix<Double>) throws -> Matrix<Double>,
        multiply: (Matrix<Double>) throws -> Matrix<Double>
    ) throws {
        let k = right.columns
        let norms = Self.dots(right, right).map { $0.squareRoot() }
        let solution = Matrix<Double>(zeroRows: right.rows, columns: k)
        let rest = right.copy()
        var z = try precondition(rest)
        let direction = z.copy()
        var product = Self.dots(rest, z)
        var iterations = 0
        func ratio(_ squares: [Double]) -> Double { zip(squares, norms).reduce(0) { max($0, $1.1 > 0 ? $1.0.squareRoot() / $1.1 : 0) } }
        var reached = ratio(Self.dots(rest, rest))
        var best = reached
        var stalled = 0
        while reached > tolerance, iterations < mostIterations, stalled < 50 {
            let image = try multiply(direction)
            let steps = zip(product, Self.dots(direction, image)).map { $0.1 > 0 ? $0.0 / $0.1 : 0 }
            solution.add(direction, scaled: steps)
            rest.add(image, scaled: steps.map { -$0 })
            z = try precondition(rest)
            let next = Self.dots(rest, z)
            direction.scaleColumns(zip(next, product).map { $0.1 > 0 ? $0.0 / $0.1 : 0 })
            direction.add(z, scaled: [Double](repeating: 1, count: k))
            product = next
            iterations += 1
            reached = ratio(Self.dots(rest, rest))
            stalled = reached < best ? 0 : stalled + 1
            best = min(best, reached)
        }
        self.solution = solution
        self.iterations = iterations
        residual = reached
    }

    /// Σ_i A_ij B_ij for each column j.
    static func dots(_ left: Matrix<Double>, _ right: Matrix<Double>) -> [Double] {
        let k = left.columns
        var sums = [Double](repeating: 0, count: k)
        left.withElements { a in
            right.withElements { b in
                for row in 0..<left.rows { for column in 0..<k { sums[column] += a[row * k + column] * b[row * k + column] } }
            }
        }
        return sums
    }
}
