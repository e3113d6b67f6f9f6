import LinearAlgebra
import NTK
import TestSupport
import Testing

/// The analytic kernels are the means over finite networks of the same architecture, up to errors of one over the width.
struct MonteCarloTests {
    static let width = 160
    static let samples = 36

    static func conv(_ filter: [Int], _ variant: Convolution.Variant = .shared, strides: [Int]? = nil) -> Layer {
        .convolution(
            Convolution(
                variant: variant, filterShape: filter, strides: strides, padding: .same,
                affine: Affine(width: width, weightStd: 1.3, biasStd: 0.2)))
    }

    static let dense = Layer.dense(Affine(width: width, weightStd: 1.3, biasStd: 0.3))
    static let readout = Layer.dense(Affine(width: 8, weightStd: 1.1, biasStd: 0.2))

    static let architectures: [(String, Layer, [Int])] = [
        ("relu, gelu", .serial([dense, .relu, dense, .activation(.gelu(approximate: false)), readout]), [4]),
        ("tanh, sin", .serial([dense, .activation(.tanh), dense, .activation(.sin(a: 1, b: 0.8, c: 0.2)), readout]), [4]),
        ("elu, swish", .serial([dense, .activation(.elu(alpha: 1, scale: 1)), dense, .activation(.swish), readout]), [4]),
        ("layer norm", .serial([dense, .layerNorm(LayerNorm()), .relu, dense, .layerNorm(LayerNorm()), .erf, readout]), [4]),
        (
            "group norm, hard_swish",
            .serial([conv([2, 2]), .groupNorm(GroupNorm(groups: 2)), .activation(.hardSwish), .flatten, readout]), [4, 3, 2]
        ),
        ("residual", .serial([dense, .residual([.relu, dense]), .relu, readout]), [4]),
        (
            "product", .serial([dense, .fanOut(2), .parallel([.serial([.relu, dense]), .serial([.erf, dense])]), .fanInProd, readout]), [4]
        ),
        ("conv, flatten", .serial([conv([3, 2]), .relu, conv([2, 2], strides: [2, 1]), .relu, .flatten, readout]), [4, 3, 2]),
        (
            "conv, pools", .serial([conv([2, 2]), .relu, .pool(Pool(windowShape: [2, 2])), conv([2, 2]), .relu, .globalPool(.average), readout]),
            [4, 3, 2]
        ),
        ("transposed", .serial([conv([3], .transpose, strides: [2]), .relu, .globalPool(.average), readout]), [4, 2]),
        ("local", .serial([conv([3], .local), .relu, .globalPool(.average), readout]), [5, 2]),
        ("frozen", .serial([.dense(Affine(width: width, weightStd: 1.3, biasStd: 0.3)), .relu, readout]), [4]),
    ]

    @Test(arguments: architectures.indices)
    func meansOfFiniteNetworks(index: Int) throws {
        let (name, architecture, shape) = Self.architectures[index]
        let x = Matrix.random(3, shape.reduce(1, *), seed: UInt64(100 + index))
        let exact = try AnalyticKernel(architecture, shape: shape).matrices(x, kinds: [.nngp, .ntk], as: Double.self)
        let network = try FiniteNetwork(architecture, inputShape: shape, given: nil)
        var sums = [[Double]](repeating: [Double](repeating: 0, count: 9), count: 2)
        var squares = sums
        for sample in 0..<Self.samples {
            let kernel = EmpiricalKernel(network, try network.drawParameters(seed: 17, sample: UInt32(sample)))
            let values = [
                try kernel.nngp(x, outputs: .mean, as: Double.self).elements, try kernel.ntk(x, outputs: .mean, as: Double.self).kernel.elements,
            ]
            for kind in 0..<2 {
                for place in 0..<9 {
                    sums[kind][place] += values[kind][place]
                    squares[kind][place] += values[kind][place] * values[kind][place]
                }
            }
        }
        let count = Double(Self.samples)
        for (kind, matrix) in try [#require(exact.nngp), #require(exact.ntk)].enumerated() {
            for place in 0..<9 {
                let mean = sums[kind][place] / count
                let variance = max(squares[kind][place] / count - mean * mean, 0) / (count - 1)
                #expect(
                    abs(mean - matrix.elements[place]) <= 5 * variance.squareRoot(),
                    "\(name), \(kind == 0 ? "nngp" : "ntk") \(place): \(mean) ± \(variance.squareRoot()), not \(matrix.elements[place])")
            }
        }
    }
}
