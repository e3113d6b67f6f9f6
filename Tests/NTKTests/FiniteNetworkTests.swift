import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Empirical kernels against J Jᵀ with J by central differences of the outputs, for every layer that has a finite network.
struct FiniteNetworkTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var layers: [Layer]
        var shape: [Int]
        var testDescription: String { name }

        init(_ name: String, _ shape: [Int], _ layers: [Layer]) {
            (self.name, self.shape, self.layers) = (name, shape, layers)
        }
    }

    static let erf = Layer.activation(.erf(a: 1.2, b: 0.7, c: 0.1))

    static func dense(_ width: Int, _ bias: Double? = 0.4, _ parameterization: Parameterization = .ntk) -> Layer {
        .dense(Affine(width: width, weightStd: 1.3, biasStd: bias, parameterization: parameterization))
    }

    static func conv(
        _ width: Int, _ window: [Int], strides: [Int]? = nil, _ padding: Padding = .same, _ variant: Convolution.Variant = .shared,
        bias: Double? = 0.3
    ) -> Layer {
        .convolution(
            Convolution(
                variant: variant, filterShape: window, strides: strides, padding: padding,
                affine: Affine(width: width, weightStd: 1.2, biasStd: bias, parameterization: width == 3 ? .standard : .ntk)))
    }

    static let cases: [Case] = [
        Case("dense", [4], [dense(5), erf, dense(3, nil), erf, dense(2)]),
        Case("standard", [4], [dense(5, 0.4, .standard), erf, dense(2, 0.2, .standard)]),
        Case("relu", [4], [dense(6), .relu, dense(5), .activation(.abRelu(a: -0.5, b: 1.5)), dense(2)]),
        Case("mlp", [3], [.mlp(depth: 2, activation: .erf, hidden: Affine(width: 4, biasStd: 0.2), readout: Affine(width: 4))]),
        Case("mlp of one output", [3], [.mlp(depth: 1, activation: .erf, hidden: Affine(width: 4), readout: Affine())]),
        Case("repeat", [3], [dense(4), .repeated(.serial([erf, dense(4)]), count: 2)]),
        Case("residual", [3], [dense(4), .residual([erf, dense(4)]), erf, dense(2)]),
        Case(
            "branches", [3],
            [
                .fanOut(3), .parallel([.serial([dense(4), erf]), dense(4), .serial([dense(4), .identity])]), .fanInProd, dense(2),
            ]),
        Case("concatenation", [3], [.fanOut(2), .parallel([dense(2), .serial([dense(3), erf])]), .fanInConcat(.channel), dense(2)]),
        Case(
            "spatial concatenation", [2, 3, 2],
            [
                .fanOut(2), .parallel([conv(2, [1, 2]), .serial([conv(2, [1, 1]), erf])]), .fanInConcat(.index(1)), .flatten, dense(2),
            ]),
        Case("output with the input", [3], [.fanOut(2), .parallel([.identity, dense(3)]), .fanInSum]),
        Case("conv", [5, 4, 2], [conv(3, [3, 2]), erf, conv(2, [2, 2], strides: [2, 1], .valid), erf, .flatten, dense(2)]),
        Case("circular conv", [5, 2], [conv(4, [3], .circular), erf, conv(3, [2], strides: [2], .circular), .globalPool(.average), dense(2)]),
        Case("conv at the end", [3, 2], [conv(2, [2]), erf, conv(3, [2])]),
        Case("three spatial axes", [2, 3, 2, 2], [conv(3, [2, 2, 2]), erf, .globalPool(.sum), dense(2)]),
        Case(
            "conv_transpose", [3, 2],
            [
                conv(4, [3], strides: [2], .same, .transpose), erf, conv(3, [2], strides: [3], .valid, .transpose),
                .globalPool(.average), dense(2),
            ]),
        Case("conv_local", [4, 3, 2], [conv(3, [2, 2], .same, .local), erf, conv(2, [3, 1], .valid, .local), .flatten, dense(2)]),
        Case(
            "pools", [6, 5, 2],
            [
                conv(3, [2, 2]), erf, .pool(Pool(windowShape: [2, 2], strides: [2, 1], padding: .same, normalizesEdges: true)),
                conv(2, [1, 1]), erf, .pool(Pool(reduction: .sum, windowShape: [2, 3], padding: .valid)), .flatten, dense(2),
            ]),
        Case("layer_norm", [5], [dense(6), .layerNorm(LayerNorm(epsilon: 1e-3)), erf, dense(2)]),
        Case(
            "layer_norm over positions", [3, 2, 2],
            [
                conv(4, [2, 2]), .layerNorm(LayerNorm(axes: [.channel, .index(1)], epsilon: 1e-3)), erf, .flatten, dense(2),
            ]),
        Case("group_norm", [3, 2, 2], [conv(4, [2, 2]), .groupNorm(GroupNorm(groups: 2, epsilon: 1e-3)), erf, .flatten, dense(2)]),
        Case("hard_swish", [4], [dense(5), .activation(.hardSwish), dense(2)]),
        Case("dropout", [3], [dense(4), .dropout(Dropout(keepProbability: 0.5)), erf, dense(2)]),
        Case(
            "attention", [4, 3],
            [
                .selfAttention(
                    SelfAttention(width: 3, heads: 2, linearScaling: false, keyStd: 2, queryStd: 2, biasStd: 0.2, positionalEmbedding: .sum)),
                .flatten, dense(2),
            ]),
        Case(
            "tied attention", [4, 3],
            [
                dense(3),
                .selfAttention(SelfAttention(width: 3, keyStd: 3, queryStd: 2, positionalEmbedding: .concat, positionalStd: 0.5, embedsValues: true)),
                .globalPool(.average), dense(2),
            ]),
        Case(
            "relu attention", [3, 3],
            [
                .selfAttention(SelfAttention(width: 2, heads: 2, linearScaling: false, biasStd: 0.1, mechanism: .relu)), .globalPool(.sum),
            ]),
        Case(
            "resize and pick", [3, 4, 2],
            [
                conv(3, [2, 2]), erf, .imageResize(ImageResize(shape: [-1, 4, 2, -1], method: .linear)),
                .index([.all, .slice(start: 1, stop: nil, step: 2), .position(0)]), .flatten, dense(2),
            ]),
        Case(
            "dot_general", [3, 2],
            [
                conv(3, [2]), erf,
                .dotGeneral(
                    DotGeneral(side: .lhs, shape: [2, 3], elements: [1, -2, 0.5, 0, 1, 3], contracting: ([1], [1]), batch: ([], []))),
                .flatten, dense(2),
            ]),
    ]

    @Test(arguments: cases) func gradientsAreThoseOfTheOutputs(_ test: Case) throws {
        let network: FiniteNetwork
        do {
            network = try FiniteNetwork(.serial(test.layers), inputShape: test.shape, given: nil)
        } catch {
            Issue.record("\(test.name): \(error)")
            return
        }
        let parameters = try network.drawParameters(seed: 7)
        let features = test.shape.reduce(1, *)
        let x1 = Matrix.random(3, features, seed: 11)
        let x2 = Matrix.random(2, features, seed: 12)
        let left = try Self.jacobian(network, parameters, x1)
        let right = try Self.jacobian(network, parameters, x2)
        let outputs = network.outputs
        for algorithm in [nil, ContractionAlgorithm.structured, .gradients] {
            var kernel = EmpiricalKernel(network, parameters)
            kernel.algorithm = algorithm
            for (other, columns) in [(Matrix<Double>?.none, left), (x2, right)] {
                let full = try kernel.ntk(x1, other, outputs: .full, as: Double.self).kernel
                let shared = try kernel.ntk(x1, other, outputs: .full, isLayerwise: true, as: Double.self)
                let scale = (0..<left.count).map { row in left[row].reduce(0) { $0 + $1 * $1 } }.max() ?? 0
                let points = columns.count / outputs
                var trace = 0.0
                for i in 0..<3 {
                    for j in 0..<points {
                        for a in 0..<outputs {
                            for b in 0..<outputs {
                                let expected = zip(left[i * outputs + a], columns[j * outputs + b]).reduce(0) { $0 + $1.0 * $1.1 }
                                let value = full[i, (j * outputs + a) * outputs + b]
                                #expect(
                                    abs(value - expected) <= 3e-8 * scale,
                                    "\(test.name) \(algorithm as Any) (\(i),\(j),\(a),\(b)): \(value), \(expected)")
                                let sum = shared.kernel[i, (j * outputs + a) * outputs + b]
                                #expect(abs(value - sum) <= 1e-13 * scale)
                                if i == 1 && j == 0 && a == b { trace += value }
                            }
                        }
                    }
                }
                let sum = try kernel.ntk(x1, other, outputs: .sum, as: Double.self).kernel
                let mean = try kernel.ntk(x1, other, outputs: .mean, as: Double.self).kernel
                let single = try kernel.ntk(x1, other, outputs: .mean, as: Float.self).kernel
                let diagonal = try kernel.ntk(x1, other, outputs: .diagonal, as: Double.self).kernel
                #expect(abs(sum[1, 0] - trace) <= 1e-12 * scale)
                #expect(abs(mean[1, 0] - trace / Double(outputs)) <= 1e-12 * scale)
                #expect(abs(Double(single[1, 0]) - mean[1, 0]) <= 1e-4 * scale)
                #expect(abs((0..<outputs).reduce(0) { $0 + diagonal[1, $1] } - trace) <= 1e-12 * scale)
            }
        }
    }

    /// Rows: ∂f_o(x)/∂θ for each point and output, by central differences.
    static func jacobian(_ network: FiniteNetwork, _ parameters: NetworkParameters, _ x: Matrix<Double>) throws -> [[Double]] {
        var columns: [[Double]] = []
        for (index, values) in parameters.values.enumerated() where network.parameters[index].isTrainable {
            for place in 0..<values.count {
                let h = 1e-5
                func outputs(_ change: Double) throws -> [Double] {
                    let moved = Storage<Double>(count: values.count)
                    for (index, value) in values.elements.enumerated() { moved.set(index, value + (index == place ? change : 0)) }
                    var all = parameters.values
                    all[index] = moved
                    return try network.outputs(x, parameters: NetworkParameters(values: all), as: Double.self, on: SerialTiles()).elements
                }
                columns.append(zip(try outputs(h), try outputs(-h)).map { ($0 - $1) / (2 * h) })
            }
        }
        return (0..<x.rows * network.outputs).map { row in columns.map { $0[row] } }
    }
}
