import Foundation
import LinearAlgebra
import TestSupport
import Testing

/// What Benchmarks/peers/generate_regression_golden.py has written.
struct RegressionGolden: Decodable {
    struct Moments: Decodable {
        var mean: [[Double]]
        var covariance: [[Double]]
    }

    struct NeuralTangents: Decodable {
        struct Posteriors: Decodable {
            var nngp: Moments
            var ntk: Moments
        }
        struct Time: Decodable {
            var nngp: Moments
            var ntk: Moments
            var trainMean: [[Double]]
        }
        var nngp, ntk, y: [[Double]]
        var learningRate, ridge, maxLearningRate: Double
        var times: [Double]
        var flow: [Time]
        var end: Posteriors
        var gpInference: Moments
    }

    struct ScikitLearn: Decodable {
        var kernel, y, coefficients, mean, processMean, covariance: [[Double]]
        var ridge, logMarginalLikelihood: Double
    }

    struct Exact: Decodable {
        var kernel, y, coefficients, mean, covariance, leaveOneOutResiduals: [[Double]]
        var ridge, leaveOneOutError, gcv, logMarginalLikelihood, rkhsNorm, effectiveDimension, condition: Double

        /// Minus the log likelihood with the best factor on K + λI for each output, yᵀα/n, from that with the factor 1.
        var profiledLikelihood: Double {
            let (n, k) = (Double(y.count), y[0].count)
            let fits = (0..<k).map { output in zip(y, coefficients).reduce(0) { $0 + $1.0[output] * $1.1[output] } }
            return -logMarginalLikelihood + fits.reduce(0) { $0 + (n * (log($1 / n) + 1) - $1) / 2 }
        }
    }

    struct Dynamics: Decodable {
        struct Point: Decodable {
            var time: Double
            var train, test: [[Double]]
        }
        var kernel, y, initial, initialTest: [[Double]]
        var learningRate, momentum: Double
        var gradientFlow, gradientDescent, heavyBall: [Point]
    }

    var neuralTangents: [NeuralTangents]
    var scikitLearn: [ScikitLearn]
    var exact: [Exact]
    var dynamics: Dynamics

    static func load() throws -> RegressionGolden {
        let url = try #require(Bundle.module.url(forResource: "Golden/regression", withExtension: "json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(RegressionGolden.self, from: Data(contentsOf: url))
    }
}

/// A Gram matrix over training and test points, cut up.
struct Blocks {
    let trainTrain, testTrain, testTest: Matrix<Double>

    init(_ kernel: [[Double]], train n: Int) {
        trainTrain = Matrix(kernel[..<n].map { Array($0[..<n]) })
        testTrain = Matrix(kernel[n...].map { Array($0[..<n]) })
        testTest = Matrix(kernel[n...].map { Array($0[n...]) })
    }
}

/// The largest difference of two matrices, relative to the largest element.
func difference(_ own: Matrix<Double>, _ expected: [[Double]]) -> Double {
    let scale = expected.joined().reduce(1e-300) { max($0, abs($1)) }
    precondition(own.rows == expected.count && own.columns == expected[0].count)
    return zip(own.elements, expected.joined()).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}
