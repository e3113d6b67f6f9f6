import Foundation
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Behind every activation with a closed form: what holds at any scale, whatever the formula.
struct ClosedDualTests {
    static let activations: [Activation] = [
        .relu, .abRelu(a: -0.4, b: 1.3), .sign, .erf, .erf(a: 1.2, b: 0.7, c: 0.4), .gelu(approximate: false), .sin(a: 1, b: 1, c: 0),
        .sin(a: 1.3, b: 0.6, c: 0.4), .cos(a: 1, b: 1, c: 0), .cos(a: 1, b: 1, c: .pi / 2), .rbf(gamma: 0.3), .exp(a: 1, b: 0.3),
        .expNormalized(gamma: 1, shift: -1), .gaussian(a: 1, b: -0.5), .gabor, .hermite(degree: 3), .monomial(degree: 2),
        .rectifiedMonomial(degree: 0), .rectifiedMonomial(degree: 1), .rectifiedMonomial(degree: 3), .polynomial([0.3, 1, -0.2, 0.1]),
    ]

    static func dense(_ weight: Double = 1.2, _ bias: Double? = nil) -> Layer { .dense(Affine(weightStd: weight, biasStd: bias)) }

    static func kernels(_ layers: [Layer], _ rows: [[Double]]) throws -> Kernels<Matrix<Double>> {
        try AnalyticKernel(.serial(layers), features: rows[0].count).matrices(
            Matrix(rows: rows.count, columns: rows[0].count, rows.flatMap { $0 }), kinds: [.nngp, .ntk], as: Double.self)
    }

    /// Off the diagonal, equal points have the diagonal's value bit for bit, behind any two activations.
    @Test(arguments: activations.indices)
    func equalPointsEqualTheirDiagonal(index: Int) throws {
        for second in Self.activations {
            let layers = [
                Self.dense(), .activation(Self.activations[index]), Self.dense(1.1, 0.3), .activation(second), Self.dense(),
            ]
            let kernels = try Self.kernels(layers, [[0.3, -1.2, 0.7], [2, 1, 0.1], [0.3, -1.2, 0.7]])
            for matrix in [try #require(kernels.nngp), try #require(kernels.ntk)] {
                #expect(matrix[0, 2] == matrix[0, 0] && matrix[2, 0] == matrix[2, 2], "\(Self.activations[index]), \(second)")
            }
        }
    }

    /// A pair does not change by a bit when its points change places.
    @Test(arguments: activations.indices)
    func placesDoNotMatter(index: Int) throws {
        let points = Matrix.random(24, 4, seed: 5)
        var rows = (0..<24).map { i in (0..<4).map { points[i, $0] * pow(10, Double(i % 5) / 2 - 1) } }
        for i in 0..<8 { rows[i + 8] = rows[i].map { $0 * (1 + 1e-9 * Double(i)) } }
        let layers = [Self.dense(1.2, 0.2), .activation(Self.activations[index]), Self.dense(), .relu, Self.dense()]
        let (forward, backward) = (try Self.kernels(layers, rows), try Self.kernels(layers, rows.reversed()))
        for (a, b) in [(forward.nngp, backward.nngp), (forward.ntk, backward.ntk)] {
            let (a, b) = (try #require(a), try #require(b))
            for i in 0..<24 { for j in 0..<24 { #expect(a[i, j] == b[23 - i, 23 - j], "\(Self.activations[index]) \(i) \(j)") } }
        }
    }

    /// An entry depends on its two points only: others of a size at which angles grow change no bit of it.
    @Test(arguments: [Activation.erf, .sin(a: 1, b: 1, c: 0)])
    func otherPointsDoNotMatter(activation: Activation) throws {
        let layers = [Self.dense(1.3, 0.1), .activation(activation), Self.dense(1.3, 0.1), .activation(activation), Self.dense(1.3, 0.1)]
        let rows = (0..<24).map { [sin(Double($0)) * (1 + 1e-6 * Double($0))] }
        let (alone, beside) = (try Self.kernels(layers, rows), try Self.kernels(layers, rows + [[1e6]]))
        for (a, b) in [(alone.nngp, beside.nngp), (alone.ntk, beside.ntk)] {
            let (a, b) = (try #require(a), try #require(b))
            for i in 0..<24 { for j in 0..<24 { #expect(a[i, j] == b[i, j], "\(activation) \(i) \(j)") } }
        }
    }

    /// Homogeneous functions: from 1e-150 to 1e150 the cosine behind them is the same.
    @Test(arguments: [
        Activation.relu, .sign, .abRelu(a: -1, b: 1), .rectifiedMonomial(degree: 1), .monomial(degree: 1), .expNormalized(gamma: 0.7, shift: -1),
        .hermite(degree: 1),
    ])
    func cosinesDoNotDependOnTheScale(activation: Activation) throws {
        let rows = [[1.0, 2, -0.5], [0.3, -1, 1.1], [1.0, 2.0000001, -0.5]]
        func cosines(_ scale: Double) throws -> [Double] {
            let matrix = try #require(
                try Self.kernels([Self.dense(1), .activation(activation)], rows.map { $0.map { $0 * scale } }).nngp)
            return [(0, 1), (0, 2), (1, 2)].map { matrix[$0, $1] / matrix[$0, $0].squareRoot() / matrix[$1, $1].squareRoot() }
        }
        let expected = try cosines(1)
        for scale in [1e-150, 1e-90, 1e-30, 1e30, 1e100, 1e150] {
            for (got, right) in zip(try cosines(scale), expected) { #expect(abs(got - right) < 1e-14, "\(activation) at \(scale)") }
        }
    }

    /// The cosine is not held against sin of small numbers: π/2 is no number, and what is left of it, 6e-17, turns their directions.
    /// `rectified_monomial` 1 is relu, erf of small numbers is linear, gelu of large ones relu, sin of small ones linear.
    @Test(arguments: [
        (Activation.rectifiedMonomial(degree: 1), Activation.relu, 1.0, 1.0), (.gelu(approximate: false), .relu, 1e30, 1),
        (.sin(a: 1, b: 1, c: 0), .monomial(degree: 1), 1e-30, 1), (.erf, .monomial(degree: 1), 1e-30, 4 / Double.pi),
        (.gabor, .monomial(degree: 1), 1e-60, 1), (.cos(a: -1, b: 1, c: .pi / 2), .sin(a: 1, b: 1, c: 0), 1, 1),
        (.gelu(approximate: false), .monomial(degree: 1), 1e-30, 0.25),
    ])
    func limits(activation: Activation, limit: Activation, scale: Double, factor: Double) throws {
        let rows = [[1.0, 0.2], [1, 0.200000001], [-0.4, 0.7], [2, 0.4], [-1, -0.2]].map { $0.map { $0 * scale } }
        let rest = [Self.dense(2.0.squareRoot()), Layer.relu, Self.dense()]
        let own = try Self.kernels([Self.dense(1), .activation(activation)] + rest, rows)
        let known = try Self.kernels([Self.dense(1), .activation(limit)] + rest, rows)
        for (a, b) in [(own.nngp, known.nngp), (own.ntk, known.ntk)] {
            let (a, b) = (try #require(a), try #require(b))
            for i in rows.indices {
                for j in rows.indices {
                    let bound = 2e-14 * factor * (b[i, i] * b[j, j]).squareRoot()
                    #expect(abs(a[i, j] - factor * b[i, j]) <= bound, "\(activation) \(i) \(j): \(a[i, j]) for \(factor * b[i, j])")
                }
            }
        }
    }

    /// Two layers of signs turn an angle of 1e-16 into one of 1e-4: the second still knows it to ten digits.
    @Test func signsOfNearlyCoincidentPoints() throws {
        let layers = [Self.dense(1), .activation(.sign), Self.dense(1), .activation(.sign), Self.dense(1), .activation(.sign)]
        let step = 1.0.ulp
        let kernel = try #require(try Self.kernels(layers, [[1, 1], [1, 1 + step]]).nngp)
        var angle = step / 2 * (1 - step / 2)
        for _ in 0..<2 { angle = 2 * asin((angle / .pi).squareRoot()) }
        #expect(abs(kernel[0, 1] - (1 - 2 * angle / .pi)) < 1e-14)
        // And so it does of points that differ in length alone, through a bias.
        let two = [Self.dense(1, 1), .activation(.sign), Self.dense(1), .activation(.sign)]
        let biased = try #require(try Self.kernels(two, [[1], [1 + step]]).nngp)
        // (1, 1) and (1 + ε, 1) are apart by ε/2.
        angle = 2 * asin((step / 2 / .pi).squareRoot())
        #expect(abs(biased[0, 1] - (1 - 2 * angle / .pi)) < 1e-14)
    }
}
