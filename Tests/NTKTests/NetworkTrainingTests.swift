import LinearAlgebra
import NTK
import TestSupport
import Testing

struct NetworkTrainingTests {
    /// The gradient of Σ c f against the Jacobian by central differences.
    @Test(arguments: FiniteNetworkTests.cases) func theGradientOfALoss(_ test: FiniteNetworkTests.Case) throws {
        let network = try FiniteNetwork(.serial(test.layers), inputShape: test.shape, given: nil)
        let parameters = try network.drawParameters(seed: 3)
        let x = Matrix.random(3, test.shape.reduce(1, *), seed: 5)
        let weights = Matrix.random(3, network.outputs, seed: 6)
        let (outputs, gradient) = try network.gradient(x, parameters: parameters) { _ in weights }
        #expect(outputs.elements == (try network.outputs(x, parameters: parameters, as: Double.self)).elements)
        let jacobian = try FiniteNetworkTests.jacobian(network, parameters, x)
        let computed = gradient.values.flatMap(\.elements)
        let scale = jacobian.flatMap { $0 }.reduce(1) { max($0, abs($1)) }
        for (place, value) in computed.enumerated() {
            let expected = zip(weights.elements, jacobian).reduce(0) { $0 + $1.0 * $1.1[place] }
            #expect(abs(value - expected) <= 1e-8 * scale * 10, "\(test.name) \(place): \(value), \(expected)")
        }
    }

    /// A very wide network follows its linearization: (1 − η Θ/n)^S of the first residual.
    @Test func aWideNetworkIsLazy() throws {
        let affine = Affine(width: 2048, weightStd: 2.0.squareRoot(), biasStd: 0.1)
        var readout = affine
        readout.width = 1
        let network = try FiniteNetwork(.mlp(depth: 1, activation: .erf, hidden: affine, readout: readout), inputShape: [3], given: nil)
        let x = Matrix.random(6, 3, seed: 1)
        let y = Matrix.random(6, 1, seed: 2)
        for momentum in [0.0, 0.5] {
            var training = NetworkTraining(network, try network.drawParameters(seed: 4), learningRate: 0.5, momentum: momentum)
            let kernel = EmpiricalKernel(network, training.parameters)
            let theta = try kernel.ntk(x, outputs: .mean, as: Double.self).kernel
            var linear = try network.outputs(x, parameters: training.parameters, as: Double.self).elements
            var before = linear
            var losses: [Double] = []
            for _ in 0..<40 {
                let (outputs, loss) = try training.advance(x, y)
                losses.append(loss)
                for (value, expected) in zip(outputs.elements, linear) { #expect(abs(value - expected) < 0.03) }
                let residual = zip(linear, y.elements).map { $0 - $1 }
                let next = (0..<6).map { i in
                    linear[i] + momentum * (linear[i] - before[i]) - 0.5 / 6 * (0..<6).reduce(0) { $0 + theta[i, $1] * residual[$1] }
                }
                (before, linear) = (linear, next)
            }
            #expect(losses[39] < 0.2 * losses[0])
            #expect(training.distance.relative < 0.05 && training.distance.absolute > 0)
            #expect(training.step == 40)
        }
    }

    @Test func theKernelIsPositiveSemidefiniteToRounding() throws {
        let conv = Layer.convolution(Convolution(filterShape: [3, 3], padding: .same, affine: Affine(width: 4, biasStd: 0.1)))
        let network = try FiniteNetwork(
            .serial([conv, .relu, conv, .relu, .globalPool(.average), .dense(Affine(width: 2))]), inputShape: [4, 4, 2], given: nil)
        let n = 60
        // Equal and nearly equal points make the kernel singular.
        let base = Matrix.random(n / 3, 32, seed: 9)
        let x = Matrix(rows: n, columns: 32, (0..<n).flatMap { row in base.row(row / 3).map { $0 + (row % 3 == 2 ? 1e-9 : 0) } })
        let kernel = EmpiricalKernel(network, try network.drawParameters(seed: 8))
        for algorithm in [ContractionAlgorithm.structured, .gradients] {
            var kernel = kernel
            kernel.algorithm = algorithm
            let theta = try kernel.ntk(x, outputs: .mean, as: Double.self).kernel
            for i in 0..<n { for j in 0..<n { #expect(theta[i, j] == theta[j, i]) } }
            let values = try SymmetricEigen(inPlace: theta.copy(), on: SerialTiles()).values
            let largest = values.max() ?? 0
            #expect((values.min() ?? 0) >= -Double(n) * .ulpOfOne * largest)
        }
    }

    @Test func blocksAndThreadsChangeNothing() throws {
        let network = try FiniteNetwork(
            .serial([.dense(Affine(width: 7, biasStd: 0.2)), .erf, .dense(Affine(width: 3))]), inputShape: [4], given: nil)
        let kernel = EmpiricalKernel(network, try network.drawParameters(seed: 2))
        let (x1, x2) = (Matrix.random(9, 4, seed: 1), Matrix.random(5, 4, seed: 2))
        for selection in [OutputSelection.mean, .diagonal, .full, .chosen([2, 0])] {
            for other in [nil, x2] {
                let whole = try kernel.ntk(x1, other, outputs: selection, as: Double.self).kernel.elements
                #expect(try kernel.ntk(x1, other, outputs: selection, as: Double.self, on: SerialTiles()).kernel.elements == whole)
                var blocked = kernel
                blocked.workingBytes = 1_000
                let pieces = try blocked.ntk(x1, other, outputs: selection, isLayerwise: true, as: Double.self).kernel.elements
                for (piece, value) in zip(pieces, whole) { #expect(abs(piece - value) < 1e-13) }
            }
        }
    }

    @Test func frozenLayersDoNotCount() throws {
        func layers(_ trainable: Bool) -> Layer {
            .serial([.dense(Affine(width: 4, isTrainable: trainable)), .erf, .dense(Affine(width: 2))])
        }
        let free = try FiniteNetwork(layers(true), inputShape: [3], given: nil)
        let frozen = try FiniteNetwork(layers(false), inputShape: [3], given: nil)
        let parameters = try free.drawParameters(seed: 1)
        let x = Matrix.random(3, 3, seed: 3)
        let only = try EmpiricalKernel(free, parameters, included: [1]).ntk(x, outputs: .full, as: Double.self).kernel.elements
        #expect(try EmpiricalKernel(frozen, parameters).ntk(x, outputs: .full, as: Double.self).kernel.elements == only)
    }
}
