import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Kernels that are homogeneous in their points, at any scale of each.
struct PointUnitsTests {
    private static let kinds: Set<KernelKind> = [.ntk, .nngp]
    private static let dense = Layer.dense(Affine(weightStd: 1.3))
    private static let cubic = Layer.activation(.monomial(degree: 3))

    /// None of these kernels depends on the lengths of points, though values on the way do.
    static let vectors: [[Layer]] = [
        [dense, .relu, dense, .activation(.sign), .dense(Affine(biasStd: 0.3)), .erf, dense],
        [dense, cubic, dense, .activation(.sign), .dense(Affine(biasStd: 0.3)), .erf, dense],
        [dense, cubic, dense, .layerNorm(LayerNorm(epsilon: 0)), .activation(.gelu(approximate: false)), dense],
        [dense, .fanOut(2), .parallel([dense, .serial([dense, .relu])]), .fanInProd, dense, .activation(.rectifiedMonomial(degree: 0)), dense],
    ]

    private func points(_ rows: Int, _ columns: Int, exponents: [Int]) -> Matrix<Double> {
        let plain = Matrix<Double>.random(rows, columns, seed: 5)
        return Matrix((0..<rows).map { i in plain.row(i).map { $0.scaled(by: exponents[i]) } })
    }

    /// Also where the powers of variances on the way are beyond the range of numbers.
    @Test(arguments: vectors)
    func vectorsHaveUnits(layers: [Layer]) throws {
        let kernel = try AnalyticKernel(.serial(layers), features: 4)
        let (x, plain) = (points(4, 4, exponents: [-498, 498, 0, -270]), points(4, 4, exponents: [0, 0, 0, 0]))
        let (own, expected) = (
            try kernel.matrices(x, kinds: Self.kinds, as: Double.self), try kernel.matrices(plain, kinds: Self.kinds, as: Double.self)
        )
        let diagonals = try kernel.diagonals(x, kinds: Self.kinds, as: Double.self)
        let prepared = try kernel.matrices(plain, kernel.prepare(x, as: Double.self), kinds: Self.kinds)
        for kind in Self.kinds {
            let (matrix, right, beside) = (try #require(own[kind]), try #require(expected[kind]), try #require(prepared[kind]))
            #expect(diagonals[kind] == (0..<4).map { matrix[$0, $0] })
            for i in 0..<4 {
                for j in 0..<4 {
                    let allowed = 1e-15 * (right[i, i] * right[j, j]).squareRoot()
                    #expect(abs(matrix[i, j] - right[i, j]) <= allowed && abs(beside[i, j] - right[i, j]) <= allowed, "\(kind) \(i) \(j)")
                }
            }
        }
    }

    @Test func positionsHaveUnits() throws {
        let attention = Layer.selfAttention(SelfAttention(linearScaling: false, mechanism: .identity))
        let layers: [Layer] = [Self.dense, attention, .activation(.sign), .dense(Affine(biasStd: 0.2)), .relu, .globalPool(.average), Self.dense]
        let kernel = try AnalyticKernel(.serial(layers), shape: [3, 2])
        let exponents = [-480, -300, 290, 0]
        let (x, plain) = (points(4, 6, exponents: exponents), points(4, 6, exponents: [0, 0, 0, 0]))
        let (own, expected) = (
            try kernel.matrices(x, kinds: Self.kinds, as: Double.self), try kernel.matrices(plain, kinds: Self.kinds, as: Double.self)
        )
        for kind in Self.kinds {
            let (matrix, right) = (try #require(own[kind]), try #require(expected[kind]))
            for i in 0..<4 { for j in 0..<4 { #expect(abs(matrix[i, j] - right[i, j]) <= 1e-14 * (right[i, i] * right[j, j]).squareRoot()) } }
        }
    }

    /// Where a layer is not homogeneous, what falls below the range of numbers is refused and does not pass for a zero point.
    @Test func whatVanishesIsRefused() throws {
        let layers: [Layer] = [Self.dense, .erf, Self.dense, Self.cubic, Self.dense, .activation(.sign), Self.dense]
        let x = Matrix<Double>([[1, 0.5], [1e-110, 2e-110], [0, 0]])
        let kernel = try AnalyticKernel(.serial(layers), features: 2)
        #expect(throws: KernelError.underflow(set: "x1", point: 1)) { try kernel.matrices(x, kinds: [.nngp], as: Double.self) }
        #expect(try kernel.matrices(x.rows([0, 2]), kinds: [.nngp], as: Double.self).nngp?[1, 1] == 0)
        let images = try AnalyticKernel(.serial(layers + [.flatten]), shape: [1, 2])
        #expect(throws: KernelError.underflow(set: "x2", point: 1)) { try images.matrices(x.rows([0]), x, kinds: [.nngp], as: Double.self) }
        // No layer asks how small it is.
        let plain = try AnalyticKernel(.serial([Self.dense, .erf, Self.dense, Self.cubic, Self.dense]), features: 2)
        #expect(try plain.matrices(x, kinds: [.nngp], as: Double.self).nngp?[1, 1] == 0)
    }
}
