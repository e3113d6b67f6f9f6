import Glibc
import LinearAlgebra
import NTK
import Testing

/// A zero vector's function is a constant: behind an activation its covariance with another point is φ(0) E φ(a z).
struct ZeroPointTests {
    /// E φ(z) and E φ(z)² for z ~ N(0, 1), by mpmath.
    @Test(arguments: [
        (Activation.softplus, 0.55871765030172990569, 0.92124590885930027868), (.sigmoid, 0.25, 0.29337903585809296274),
    ])
    func covarianceWithAZeroVector(activation: Activation, mixed: Double, own: Double) throws {
        try check(activation, mixed: mixed, own: own)
    }

    /// max(z + 1, 0), whose kink is off zero.
    @Test func covarianceWithAZeroVectorOfAnExpression() throws {
        try check(.elementwise(try Expression("max(x+1,0)")), mixed: 1.0833154705876862984, own: 1.924660216656229247)
    }

    private func check(_ activation: Activation, mixed: Double, own: Double) throws {
        let layers: [Layer] = [.dense(Affine()), .activation(activation), .dense(Affine())]
        let points = Matrix(rows: 4, columns: 1, [0.0, 1, -1, 1e-20])
        let kernel = try #require(
            try AnalyticKernel(.serial(layers), features: 1).matrices(points, kinds: [.nngp], as: Double.self).nngp)
        let atZero = activation.evaluate(0).value
        for (i, j, right) in [
            (0, 0, atZero * atZero), (0, 1, mixed), (0, 2, mixed), (1, 1, own), (0, 3, atZero * atZero), (3, 3, atZero * atZero), (3, 1, mixed),
        ] {
            #expect(abs(kernel[i, j] - right) < 1e-13 * right, "\(activation) \(i) \(j): \(kernel[i, j]) for \(right)")
        }
    }
}
