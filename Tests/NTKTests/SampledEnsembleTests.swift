import LinearAlgebra
import NTK
import TestSupport
import Testing

/// The ensemble's mean and covariance while it is trained, against finite networks that were drawn and trained.
struct SampledEnsembleTests {
    @Test func covarianceIsThatOfTrainedNetworks() throws {
        let (width, samples, rate) = (128, 200, 0.8)
        let stds = (weight: 2.0.squareRoot(), bias: 0.3)
        func dense(_ width: Int?) -> Layer { .dense(Affine(width: width, weightStd: stds.weight, biasStd: stds.bias)) }
        let train = Matrix([[1.0, 0.2], [-0.5, 1], [0.3, -1.2]])
        let test = Matrix([[0.8, 0.9], [-1, -0.4]])
        let y = Matrix([[1.0], [-0.5], [0.3]])
        let kernel = try AnalyticKernel(.serial([dense(nil), .relu, dense(nil)]), features: 2)
        func gram(_ x1: Matrix<Double>, _ x2: Matrix<Double>?) throws -> (ntk: Matrix<Double>, nngp: Matrix<Double>) {
            let kernels = try kernel.matrices(x1, x2, kinds: [.ntk, .nngp], as: Double.self)
            return (try #require(kernels.ntk), try #require(kernels.nngp))
        }
        let (trainTrain, testTrain, testTest) = (try gram(train, nil), try gram(test, train), try gram(test, nil))
        let dynamics = try TrainingDynamics(
            inPlace: trainTrain.ntk.copy(), groups: DuplicateGroups(distinct: 3), targets: y, optimizer: .gradientDescent(learningRate: rate))

        let network = try FiniteNetwork(.serial([dense(width), .relu, dense(1)]), inputShape: [2], given: nil)
        let times = [0, 3, 30]
        var outputs = [[[Double]]](repeating: [], count: times.count)
        for sample in 0..<samples {
            var run = NetworkTraining(network, try network.drawParameters(seed: 9, sample: UInt32(sample)), learningRate: rate)
            for (index, time) in times.enumerated() {
                while run.step < time { _ = try run.advance(train, y, on: SerialTiles()) }
                outputs[index].append(try network.outputs(test, parameters: run.parameters, as: Double.self, on: SerialTiles()).elements)
            }
        }
        for (index, time) in times.enumerated() {
            let expectedMean = try dynamics.testChange(Double(time), testTrain: testTrain.ntk).elements
            let expected = try EnsembleCovariance(
                map: dynamics.map(Double(time), testTrain: testTrain.ntk), trainTrain: trainTrain.nngp, testTrain: testTrain.nngp
            ).full(testTest.nngp)
            let mean = (0..<2).map { point in outputs[index].reduce(0) { $0 + $1[point] } / Double(samples) }
            for i in 0..<2 {
                // Five standard errors, and the width's own share.
                let allowed = 5 * (expected[i, i] / Double(samples)).squareRoot() + 0.05
                #expect(abs(mean[i] - expectedMean[i]) < allowed, "t = \(time): \(mean) \(expectedMean)")
                for j in 0...i {
                    let covariance = outputs[index].reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / Double(samples - 1)
                    let scale = (expected[i, i] * expected[j, j]).squareRoot()
                    #expect(abs(covariance - expected[i, j]) < 0.35 * scale, "t = \(time): \(covariance) \(expected[i, j]), scale \(scale)")
                }
            }
            // Training has taken away most of the spread: otherwise nothing but the initial covariance would be tested.
            if time == 30 { #expect(expected[0, 0] < 0.5 * testTest.nngp[0, 0]) }
        }
    }
}
