import FiniteWidth
import Foundation
import LinearAlgebra
import NTK
import Testing

/// Against the same recursion by two-dimensional quadrature with derivatives of Gaussian weights (`Golden/finite_width.json`), whose
/// weights' gradients count once where no λ is given.
struct FiniteWidthGoldenTests {
    private struct Case: Decodable {
        var name: String
        var x: [[Double]]
        var act: String
        var weightVariance: Double
        var biasVariance: Double?
        var weightRate: Double?
        var layers: Int?
        var nngp, ntk, nngpCorrection, ntkCorrection, ntkVariance: [[Double]]

        enum CodingKeys: String, CodingKey {
            case name, x, act, layers, nngp, ntk
            case weightVariance = "CW"
            case biasVariance = "Cb"
            case weightRate = "lW"
            case nngpCorrection = "nngp_correction"
            case ntkCorrection = "ntk_correction"
            case ntkVariance = "ntk_variance"
        }
    }

    private static let activations: [String: (Activation, tolerance: Double)] = [
        "gelu": (.gelu(approximate: false), 1e-10), "erf": (.erf, 1e-12), "tanh": (.tanh, 1e-10), "relu": (.relu, 1e-12),
        "leaky_relu_0.1": (.abRelu(a: 0.1, b: 1), 1e-12),
    ]

    @Test func agreesWithQuadrature() throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/finite_width", withExtension: "json"))
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
        #expect(cases.count == 6)
        for item in cases {
            let (activation, tolerance) = try #require(Self.activations[item.act])
            let affine = Affine(weightStd: item.weightVariance.squareRoot(), biasStd: item.biasVariance?.squareRoot())
            let theory = try FiniteWidthTheory(
                .mlp(depth: (item.layers ?? 4) - 1, activation: activation, hidden: affine, readout: affine), features: item.x[0].count)
            let result = try theory.run(Matrix(rows: 2, columns: item.x[0].count, item.x.flatMap { $0 }), on: SerialTiles())
            // Without biases all gradients are C_W times those of the case.
            let scale = item.weightRate == nil ? item.weightVariance : 1
            func compare(_ what: String, _ matrix: Matrix<Double>, _ expected: [[Double]], _ factor: Double) {
                let largest = expected.joined().reduce(0) { max($0, abs($1)) }
                for (got, right) in zip(matrix.elements, expected.joined()) {
                    #expect(abs(got / factor - right) <= tolerance * largest, "\(item.name), \(what): \(got / factor), \(right)")
                }
            }
            compare("nngp", result.nngp.limit, item.nngp, 1)
            compare("ntk", result.ntk.limit, item.ntk, scale)
            compare("nngp_correction", result.nngp.correction, item.nngpCorrection, 1)
            compare("ntk_correction", result.ntk.correction, item.ntkCorrection, scale)
            compare("ntk_variance", result.ntk.variance, item.ntkVariance, scale * scale)
            #expect(result.errorEstimate <= 1e-11)
        }
    }
}
