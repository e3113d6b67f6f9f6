import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

/// A network that is its Jacobian: few weights, so that the covariance of weights can be formed.
struct DenseProblem: CustomTestStringConvertible {
    var points = 7
    var outputs: Int
    var weights: Int
    /// σ², or nil for classes.
    var noise: Double?
    var precision = 0.7

    var testDescription: String { "\(outputs) outputs, \(weights) weights\(noise.map { ", noise \($0)" } ?? ", classes")" }

    var jacobian: Matrix<Double> { .random(points * outputs, weights, seed: 1) }
    var testJacobian: Matrix<Double> { .random(3 * outputs, weights, seed: 2) }
    var theta: Matrix<Double> { .random(1, weights, seed: 3) }
    var logits: Matrix<Double> { Matrix.random(points, outputs, seed: 4) }
    var curvature: OutputCurvature {
        noise.map { .gaussian(points: points, outputs: outputs, noise: $0) } ?? .softmax(OutputCurvature.probabilities(logits))
    }

    /// Λ, from its definition.
    var lambda: Matrix<Double> {
        let order = points * outputs
        let result = Matrix<Double>(zeroRows: order, columns: order)
        for point in 0..<points {
            for a in 0..<outputs {
                for b in 0..<outputs {
                    var value = a == b ? 1 / (noise ?? 1) : 0
                    if case .softmax(let p) = curvature { value = (a == b ? p[point, a] : 0) - p[point, a] * p[point, b] }
                    result.storage.set((point * outputs + a) * order + point * outputs + b, value)
                }
            }
        }
        return result
    }

    /// JᵀΛJ.
    func hessian() throws -> Matrix<Double> {
        try jacobian.transposedMultiply(lambda.multiply(jacobian, on: SerialTiles()), on: SerialTiles())
    }

    func posterior(_ precision: LaplacePosterior.Precision? = nil) throws -> LaplacePosterior {
        try LaplacePosterior(
            inPlace: jacobian.multiplyTransposed(jacobian, on: SerialTiles()), curvature, logLikelihood: -3, squaredNorm: theta.sumOfSquares,
            precision: precision ?? .given(self.precision), on: SerialTiles())
    }

    func covariances(_ posterior: LaplacePosterior) throws -> Matrix<Double> {
        let whole = try testJacobian.multiplyTransposed(testJacobian, on: SerialTiles())
        let k = outputs
        let blocks = (0..<3).flatMap { test in (0..<k).flatMap { a in (0..<k).map { whole[test * k + a, test * k + $0] } } }
        return try posterior.covariances(
            inPlace: testJacobian.multiplyTransposed(jacobian, on: SerialTiles()), blocks: Matrix(rows: 3, columns: k * k, blocks),
            on: SerialTiles())
    }

    static let all = [
        DenseProblem(outputs: 3, weights: 5), DenseProblem(outputs: 3, weights: 40), DenseProblem(outputs: 2, weights: 14, precision: 1e-3),
        DenseProblem(outputs: 1, weights: 4, noise: 0.3), DenseProblem(outputs: 2, weights: 30, noise: 0.01, precision: 20),
    ]
}

/// Function space against weight space.
struct LaplacePosteriorTests {
    @Test(arguments: DenseProblem.all) func covariancesAreThoseOfTheWeights(_ problem: DenseProblem) throws {
        let found = try problem.covariances(problem.posterior())
        let hessian = try problem.hessian()
        hessian.addToDiagonal(problem.precision)
        let root = try Cholesky(inPlace: hessian, on: SerialTiles()).whiten(problem.testJacobian, on: SerialTiles())
        let dense = try root.multiplyTransposed(root, on: SerialTiles())
        let k = problem.outputs
        for test in 0..<3 {
            for index in 0..<k * k {
                let expected = dense[test * k + index / k, test * k + index % k]
                #expect(abs(found[test, index] - expected) < 1e-10 * max(1, dense.largestMagnitude))
            }
        }
    }

    @Test(arguments: DenseProblem.all) func theEvidenceIsThatOfTheWeights(_ problem: DenseProblem) throws {
        let posterior = try problem.posterior()
        let hessian = try problem.hessian()
        let values = try Tridiagonal(inPlace: hessian.copy()).eigenvalues()
        hessian.addToDiagonal(problem.precision)
        let determinant = try Cholesky(inPlace: hessian, on: SerialTiles()).logDeterminant - Double(problem.weights) * log(problem.precision)
        let expected = -3 - (problem.precision * problem.theta.sumOfSquares + determinant) / 2
        #expect(abs(posterior.logMarginalLikelihood - expected) < 1e-9)
        #expect(abs(posterior.effectiveParameters - values.reduce(0) { $0 + $1 / ($1 + problem.precision) }) < 1e-9)
    }

    @Test(arguments: DenseProblem.all) func theChosenPrecisionIsTheBest(_ problem: DenseProblem) throws {
        let best = try problem.posterior(.marginalLikelihood)
        let again = try problem.posterior(.given(best.priorPrecision))
        #expect(abs(best.logMarginalLikelihood - again.logMarginalLikelihood) < 1e-9)
        #expect(abs(best.effectiveParameters - again.effectiveParameters) < 1e-9)
        // MacKay's fixed point.
        #expect(abs(best.priorPrecision * problem.theta.sumOfSquares - best.effectiveParameters) < 1e-9 * best.effectiveParameters)
        for factor in [0.9, 1.1] {
            #expect(try problem.posterior(.given(best.priorPrecision * factor)).logMarginalLikelihood < best.logMarginalLikelihood)
        }
        let (first, second) = (try problem.covariances(best), try problem.covariances(again))
        #expect(first.subtracting(second).largestMagnitude < 1e-9 * max(1, first.largestMagnitude))
    }

    @Test func weightsOfZeroHaveNoBestPrecision() throws {
        #expect(throws: LaplaceError.noBestPrecision) { try LaplacePosterior.best([1, 2], squaredNorm: 0) }
        #expect(throws: LaplaceError.noBestPrecision) { try LaplacePosterior.best([0, 0], squaredNorm: 1) }
    }

    @Test func samplesComeToTheProbitOfTwoClasses() throws {
        // For two classes the difference of logits is all that counts: E σ(z), z ~ N(m, s²), by quadrature.
        let mean = Matrix(rows: 1, columns: 2, [0.8, -0.3])
        let covariance = Matrix(rows: 1, columns: 4, [1.2, 0.3, 0.3, 0.7])
        let (m, s) = (1.1, (1.2 + 0.7 - 0.6).squareRoot())
        var expected = 0.0
        let step = 1e-3
        for index in -8_000...8_000 {
            let z = Double(index) * step
            expected += exp(-z * z / 2) / (2 * Double.pi).squareRoot() * step / (1 + exp(-(m + s * z)))
        }
        let sampled = try Predictive.sampled(mean, covariances: covariance, count: 200_000, seed: 5, on: SerialTiles())
        #expect(abs(sampled[0, 0] - expected) < 3e-3)
        #expect(abs(sampled[0, 0] + sampled[0, 1] - 1) < 1e-12)
        let again = try Predictive.sampled(mean, covariances: covariance, count: 200_000, seed: 5, on: SerialTiles())
        #expect(again[0, 0] == sampled[0, 0])
    }

    @Test func probitIsSoftmaxOfShrunkLogits() {
        let probabilities = Predictive.probit(Matrix(rows: 1, columns: 2, [2, 0]), covariances: Matrix(rows: 1, columns: 4, [24 / .pi, 0, 0, 5]))
        // √(1 + π/8 · 24/π) = 2.
        #expect(abs(probabilities[0, 0] - 1 / (1 + exp(-1))) < 1e-15)
    }

    @Test func rootsOfSingularCovariances() {
        let covariance: [Double] = [4, 2, 0, 2, 1, 0, 0, 0, 9]
        let root = Predictive.root(covariance, size: 3)
        for row in 0..<3 {
            for column in 0..<3 {
                #expect(abs((0..<3).reduce(0) { $0 + root[row * 3 + $1] * root[column * 3 + $1] } - covariance[row * 3 + column]) < 1e-12)
            }
        }
    }

    @Test func figuresOfProbabilities() {
        let figures = CalibrationFigures(Matrix(rows: 2, columns: 2, [0.75, 0.25, 0.35, 0.65]), classes: [0, 0])
        #expect(figures.accuracy == 0.5)
        #expect(abs(figures.logLoss + (log(0.75) + log(0.35)) / 2) < 1e-15)
        #expect(abs(figures.brierScore - (0.125 + 0.845) / 2) < 1e-15)
        #expect(abs(figures.expectedCalibrationError - (0.25 + 0.65) / 2) < 1e-15)
    }
}
