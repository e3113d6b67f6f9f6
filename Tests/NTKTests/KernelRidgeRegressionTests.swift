import Foundation
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Every number of a fit against its definition, by brute force.
struct KernelRidgeRegressionTests {
    struct Problem {
        var x = Matrix.random(40, 3, seed: 11)
        var y = Matrix.random(40, 2, seed: 12)
        var test = Matrix.random(7, 3, seed: 13)
        var ridge = 1e-2

        func kernel(_ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil) throws -> Matrix<Double> {
            try #require(
                AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.2), features: 3).matrices(x1, x2, kinds: [.ntk], as: Double.self).ntk)
        }

        func without(_ point: Int) -> Problem {
            var rest = self
            let kept = (0..<x.rows).filter { $0 != point }
            rest.x = Matrix(kept.map { x.row($0) })
            rest.y = Matrix(kept.map { y.row($0) })
            return rest
        }

        func fit(_ options: RegressionOptions? = nil) throws -> KernelRidgeRegression {
            try KernelRidgeRegression(inPlace: kernel(x), targets: y, options: options ?? RegressionOptions(ridge: .fixed(ridge)))
        }
    }

    @Test func meanInterpolatesWithoutRidge() throws {
        var problem = Problem()
        problem.ridge = 0
        let mean = try problem.fit().mean(problem.kernel(problem.x))
        for (fitted, target) in zip(mean.elements, problem.y.elements) { #expect(abs(fitted - target) < 1e-9) }
    }

    @Test func leaveOneOutIsTheErrorOfRefits() throws {
        let problem = Problem()
        var sum = 0.0
        for point in 0..<problem.x.rows {
            let rest = problem.without(point)
            let predicted = try rest.fit().mean(problem.kernel(Matrix([problem.x.row(point)]), rest.x))
            for output in 0..<2 { sum += pow(problem.y[point, output] - predicted[0, output], 2) }
        }
        let expected = sum / Double(problem.x.rows * 2)
        #expect(try abs(#require(problem.fit().diagnostics.leaveOneOutError) - expected) < 1e-11 * expected)
    }

    /// log p(y) by the chain rule: the product of the densities of each target given those before it.
    @Test func marginalLikelihoodIsTheProductOfConditionals() throws {
        let problem = Problem()
        let kernel = try problem.kernel(problem.x)
        var expected = 0.0
        for point in 0..<problem.x.rows {
            var mean = [0.0, 0.0]
            var variance = kernel[point, point] + problem.ridge
            if point > 0 {
                let before = Matrix((0..<point).map { problem.x.row($0) })
                let fit = try KernelRidgeRegression(
                    inPlace: problem.kernel(before), targets: Matrix((0..<point).map { problem.y.row($0) }),
                    options: RegressionOptions(ridge: .fixed(problem.ridge)))
                let cross = try problem.kernel(Matrix([problem.x.row(point)]), before)
                mean = try fit.mean(cross).row(0)
                variance = try fit.variance(cross, diagonal: [kernel[point, point]])[0] + problem.ridge
            }
            for output in 0..<2 {
                expected -= pow(problem.y[point, output] - mean[output], 2) / (2 * variance) + log(2 * .pi * variance) / 2
            }
        }
        #expect(try abs(#require(problem.fit().diagnostics.logMarginalLikelihood) - expected) < 1e-10 * abs(expected))
    }

    @Test func varianceIsTheDiagonalOfTheCovariance() throws {
        let problem = Problem()
        let fit = try problem.fit()
        let cross = try problem.kernel(problem.test, problem.x)
        let prior = try problem.kernel(problem.test)
        let covariance = try fit.covariance(cross, testTest: prior)
        let variance = try fit.variance(cross, diagonal: (0..<7).map { prior[$0, $0] })
        // By the definition, with the explicit inverse.
        let system = try problem.kernel(problem.x)
        system.addToDiagonal(problem.ridge)
        let inverse = try Cholesky(inPlace: system, on: SerialTiles()).solve(cross.transposed, on: SerialTiles())
        let explained = try cross.multiply(inverse, on: SerialTiles())
        for i in 0..<7 {
            #expect(abs(variance[i] - covariance[i, i]) < 1e-13)
            for j in 0..<7 {
                #expect(abs(covariance[i, j] - (prior[i, j] - explained[i, j])) < 1e-12)
                #expect(covariance[i, j] == covariance[j, i])
            }
        }
    }

    @Test func normDimensionAndResidual() throws {
        let problem = Problem()
        let fit = try problem.fit()
        let kernel = try problem.kernel(problem.x)
        let image = try kernel.multiply(fit.coefficients, on: SerialTiles())
        let squared = zip(fit.coefficients.elements, image.elements).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(try abs(#require(fit.diagnostics.rkhsNorm) - squared.squareRoot()) < 1e-10 * squared.squareRoot())
        // tr K (K + λI)⁻¹ column by column.
        let system = kernel.copy()
        system.addToDiagonal(problem.ridge)
        let smoother = try Cholesky(inPlace: system, on: SerialTiles()).solve(kernel, on: SerialTiles())
        let trace = (0..<40).reduce(0.0) { $0 + smoother[$1, $1] }
        #expect(try abs(#require(fit.diagnostics.effectiveDimension) - trace) < 1e-10 * trace)
        #expect(fit.diagnostics.relativeResidual < 1e-15)
        let condition = try #require(fit.diagnostics.reciprocalCondition)
        #expect(condition > 0 && condition < 1)
    }

    @Test func onePoint() throws {
        let fit = try KernelRidgeRegression(inPlace: Matrix([[4.0]]), targets: Matrix([[6.0]]), options: RegressionOptions(ridge: .fixed(2)))
        #expect(abs(fit.coefficients[0, 0] - 1) < 1e-15)
        #expect(try abs(fit.mean(Matrix([[3.0]]))[0, 0] - 3) < 1e-15)
        #expect(try abs(fit.variance(Matrix([[3.0]]), diagonal: [4])[0] - 2.5) < 1e-15)
    }

    /// A row's prediction is the same, bit for bit, whichever rows stand beside it.
    @Test func predictionsDoNotDependOnTheBatch() throws {
        let problem = Problem()
        let fit = try problem.fit()
        let points = Matrix.random(150, 3, seed: 31)
        let cross = try problem.kernel(points, problem.x)
        let diagonal = [Double](repeating: 3, count: 150)
        let (mean, variance) = (try fit.mean(cross), try fit.variance(cross, diagonal: diagonal))
        for (first, count) in [(0, 1), (1, 1), (63, 2), (64, 64), (100, 37), (149, 1)] {
            let part = cross.rows(Array(first..<first + count))
            let (own, ownVariance) = (try fit.mean(part), try fit.variance(part, diagonal: Array(diagonal.prefix(count))))
            for row in 0..<count {
                #expect(own.row(row) == mean.row(first + row))
                #expect(ownVariance[row] == variance[first + row])
            }
        }
    }
}
