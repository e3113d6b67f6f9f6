import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

/// Kernels against the features and Hessians that they stand for.
struct ClassifierAttributionTests {
    private let n = 6
    private let k = 3
    private let t = 4
    private let p = 11
    private var classes: [Int] { [0, 2, 1, 1, 0, 2] }
    private var testClasses: [Int] { [1, 0, 2, 2] }

    private func logOdds(_ logits: [Double], _ own: Int) -> Double {
        let all = logits.map { exp($0) }
        let probability = all[own] / all.reduce(0, +)
        return log(probability / (1 - probability))
    }

    @Test func derivativesAreThoseOfDifferences() {
        let logits = Matrix.random(n, k, seed: 1)
        let odds = LabelNumber.logOddsDerivatives(logits, classes: classes)
        let losses = LabelNumber.lossDerivatives(OutputCurvature.probabilities(logits), classes: classes)
        let step = 1e-6
        for point in 0..<n {
            for output in 0..<k {
                var (up, down) = (logits.row(point), logits.row(point))
                up[output] += step
                down[output] -= step
                let own = classes[point]
                #expect(abs((logOdds(up, own) - logOdds(down, own)) / (2 * step) - odds[point, output]) < 1e-8)
                func loss(_ logits: [Double]) -> Double {
                    -OutputCurvature.logLikelihood(Matrix(rows: 1, columns: k, logits), classes: [own])
                }
                #expect(abs((loss(up) - loss(down)) / (2 * step) - losses[point, output]) < 1e-8)
            }
        }
    }

    @Test func trakIsThatOfTheFeaturesItself() throws {
        var trak = ClassifierAttribution.Trak()
        let ridge = 0.3
        let mean = Matrix<Double>(zeroRows: t, columns: n)
        var doubts = [Double](repeating: 0, count: n)
        for checkpoint in 0..<2 {
            let features = Matrix.random(n, p, seed: UInt64(10 + checkpoint))
            let test = Matrix.random(t, p, seed: UInt64(20 + checkpoint))
            let own = (0..<n).map { Double($0 + checkpoint + 1) / 10 }
            try trak.add(
                inPlace: features.multiplyTransposed(features, on: SerialTiles()), cross: test.multiplyTransposed(features, on: SerialTiles()),
                doubts: own, ridge: ridge, on: SerialTiles())
            // φ(ΦᵀΦ + λ)⁻¹Φᵀ in the space of features.
            let gram = try features.transposedMultiply(features, on: SerialTiles())
            gram.addToDiagonal(ridge)
            let solved = try Cholesky(inPlace: gram, on: SerialTiles()).solve(features.transposed, on: SerialTiles())
            mean.add(try test.multiply(solved, on: SerialTiles()), scaled: [Double](repeating: 0.5, count: n))
            doubts = zip(doubts, own).map { $0 + $1 / 2 }
        }
        let scores = trak.scores()
        for test in 0..<t { for point in 0..<n { #expect(abs(scores[test, point] - mean[test, point] * doubts[point]) < 1e-11) } }
    }

    @Test func gaussNewtonInfluenceIsThatOfTheHessian() throws {
        let (jacobian, test) = (Matrix.random(n * k, p, seed: 1), Matrix.random(t * k, p, seed: 2))
        let probabilities = OutputCurvature.probabilities(Matrix.random(n, k, seed: 3))
        let testProbabilities = OutputCurvature.probabilities(Matrix.random(t, k, seed: 4))
        let own = LabelNumber.lossDerivatives(probabilities, classes: classes)
        let others = LabelNumber.lossDerivatives(testProbabilities, classes: testClasses)
        let damping = 0.02
        let influence = try ClassifierAttribution.gaussNewton(
            inPlace: jacobian.multiplyTransposed(jacobian, on: SerialTiles()),
            cross: ClassifierAttribution.contractRows(test.multiplyTransposed(jacobian, on: SerialTiles()), others, on: SerialTiles()),
            .softmax(probabilities), derivatives: own, damping: damping, on: SerialTiles())
        // In the space of weights, from definitions.
        let hessian = Matrix<Double>(zeroRows: p, columns: p)
        for point in 0..<n {
            for a in 0..<k {
                for b in 0..<k {
                    let value = ((a == b ? probabilities[point, a] : 0) - probabilities[point, a] * probabilities[point, b]) / Double(n)
                    for i in 0..<p {
                        for j in 0..<p {
                            hessian.storage.set(i * p + j, hessian[i, j] + value * jacobian[point * k + a, i] * jacobian[point * k + b, j])
                        }
                    }
                }
            }
        }
        hessian.addToDiagonal(damping)
        func gradients(_ jacobian: Matrix<Double>, _ derivatives: Matrix<Double>) throws -> Matrix<Double> {
            try ClassifierAttribution.contractRows(jacobian, derivatives, on: SerialTiles())
        }
        let solved = try Cholesky(inPlace: hessian, on: SerialTiles()).solve(gradients(jacobian, own).transposed, on: SerialTiles())
        let expected = try gradients(test, others).multiply(solved, on: SerialTiles())
        #expect(influence.subtracting(expected).largestMagnitude < 1e-10 * expected.largestMagnitude)
    }

    @Test func largestAreByMagnitude() {
        let found = ClassifierAttribution.largest(Matrix(rows: 1, columns: 5, [1, -3, 2, 3, 0]), top: 3)
        #expect(found.points == [[1, 3, 2]] && found.values.elements == [-3, 3, 2])
    }
}
