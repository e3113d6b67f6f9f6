import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Regression and dynamics against neural-tangents, scikit-learn and 50-digit arithmetic.
struct RegressionGoldenTests {
    static func fit(_ kernel: Matrix<Double>, _ y: [[Double]], _ options: RegressionOptions) throws -> KernelRidgeRegression {
        try KernelRidgeRegression(inPlace: kernel.copy(), targets: Matrix(y), options: options)
    }

    @Test func neuralTangentsPosteriors() throws {
        for golden in try RegressionGolden.load().neuralTangents {
            let n = golden.y.count
            let (nngp, ntk) = (Blocks(golden.nngp, train: n), Blocks(golden.ntk, train: n))
            let options = RegressionOptions(ridge: .fixed(golden.ridge))
            let process = try Self.fit(nngp.trainTrain, golden.y, options)
            let covariance = try process.covariance(nngp.testTrain, testTest: nngp.testTest)
            for expected in [golden.end.nngp, golden.gpInference] {
                #expect(try difference(process.mean(nngp.testTrain), expected.mean) < 1e-10)
                #expect(difference(covariance, expected.covariance) < 1e-10)
            }
            let trained = try Self.fit(ntk.trainTrain, golden.y, options)
            #expect(try difference(trained.mean(ntk.testTrain), golden.end.ntk.mean) < 1e-10)
            let ensemble = try EnsembleCovariance(
                map: trained.map(ntk.testTrain), trainTrain: nngp.trainTrain, testTrain: nngp.testTrain)
            #expect(try difference(ensemble.full(nngp.testTest), golden.end.ntk.covariance) < 1e-10)
            for (index, variance) in try ensemble.diagonal(nngp.testTest.diagonal).enumerated() {
                #expect(abs(variance - golden.end.ntk.covariance[index][index]) < 1e-10)
            }
        }
    }

    @Test func neuralTangentsDynamics() throws {
        for golden in try RegressionGolden.load().neuralTangents {
            let n = golden.y.count
            let (nngp, ntk) = (Blocks(golden.nngp, train: n), Blocks(golden.ntk, train: n))
            let optimizer = Optimizer.gradientFlow(learningRate: golden.learningRate)
            for (kind, blocks) in [(KernelKind.nngp, nngp), (.ntk, ntk)] {
                let dynamics = try TrainingDynamics(
                    inPlace: blocks.trainTrain.copy(), groups: DuplicateGroups(distinct: n), targets: Matrix(golden.y), optimizer: optimizer)
                for (time, expected) in zip(golden.times, golden.flow) {
                    let moments = kind == .nngp ? expected.nngp : expected.ntk
                    #expect(try difference(dynamics.testChange(time, testTrain: blocks.testTrain), moments.mean) < 1e-9, "t = \(time)")
                    let ensemble = try EnsembleCovariance(
                        map: dynamics.map(time, testTrain: blocks.testTrain), trainTrain: nngp.trainTrain, testTrain: nngp.testTrain)
                    #expect(try difference(ensemble.full(nngp.testTest), moments.covariance) < 1e-9, "t = \(time)")
                    if kind == .ntk { #expect(try difference(dynamics.trainChange(time), expected.trainMean) < 1e-9) }
                }
            }
            let ball = try TrainingDynamics(
                inPlace: ntk.trainTrain.copy(), groups: DuplicateGroups(distinct: n), targets: Matrix(golden.y),
                optimizer: .heavyBall(learningRate: 1, momentum: 0.9))
            #expect(try abs(#require(ball.maximumLearningRate) - golden.maxLearningRate) < 1e-8 * golden.maxLearningRate)
        }
    }

    @Test func scikitLearn() throws {
        for golden in try RegressionGolden.load().scikitLearn {
            let blocks = Blocks(golden.kernel, train: golden.y.count)
            let fit = try Self.fit(blocks.trainTrain, golden.y, RegressionOptions(ridge: .fixed(golden.ridge)))
            #expect(difference(fit.coefficients, golden.coefficients) < 1e-10)
            #expect(try difference(fit.mean(blocks.testTrain), golden.mean) < 1e-10)
            #expect(try difference(fit.mean(blocks.testTrain), golden.processMean) < 1e-10)
            #expect(try difference(fit.covariance(blocks.testTrain, testTest: blocks.testTest), golden.covariance) < 1e-10)
            #expect(try abs(#require(fit.diagnostics.logMarginalLikelihood) / golden.logMarginalLikelihood - 1) < 1e-10)
        }
    }

    /// From condition 7 to 10⁹. The solution is refined in twice the precision, so that it is right to 10⁻¹² whatever the condition; what
    /// comes from the factor alone loses digits with the condition.
    @Test func fiftyDigits() throws {
        for golden in try RegressionGolden.load().exact {
            let blocks = Blocks(golden.kernel, train: golden.y.count)
            let lost = max(1e-10, 1e-16 * golden.condition)
            let fit = try Self.fit(blocks.trainTrain, golden.y, RegressionOptions(ridge: .fixed(golden.ridge)))
            let diagnostics = fit.diagnostics
            #expect(difference(fit.coefficients, golden.coefficients) < 1e-12, "condition \(golden.condition)")
            #expect(diagnostics.relativeResidual < 1e-15)
            #expect(try difference(fit.covariance(blocks.testTrain, testTest: blocks.testTest), golden.covariance) < lost)
            #expect(try difference(#require(fit.leaveOneOutResiduals), golden.leaveOneOutResiduals) < lost)
            #expect(try abs(#require(diagnostics.leaveOneOutError) / golden.leaveOneOutError - 1) < lost)
            #expect(try abs(#require(diagnostics.logMarginalLikelihood) / golden.logMarginalLikelihood - 1) < lost)
            #expect(try abs(#require(diagnostics.rkhsNorm) / golden.rkhsNorm - 1) < 1e-10)
            #expect(try abs(#require(diagnostics.effectiveDimension) / golden.effectiveDimension - 1) < lost)
            // The same numbers by the other factorizations.
            for criterion in RidgeCriterion.allCases {
                let selected = try Self.fit(
                    blocks.trainTrain, golden.y, RegressionOptions(ridge: .select(criterion, candidates: [golden.ridge])))
                let value = try #require(selected.diagnostics.selection?.values[0])
                let expected =
                    switch criterion {
                    case .leaveOneOut: golden.leaveOneOutError
                    case .generalizedCrossValidation: golden.gcv
                    case .marginalLikelihood: golden.profiledLikelihood
                    }
                #expect(abs(value / expected - 1) < lost, "\(criterion) at condition \(golden.condition): \(value) for \(expected)")
                #expect(difference(selected.coefficients, golden.coefficients) < 1e-12)
            }
        }
    }

    @Test func dynamicsInFiftyDigits() throws {
        let golden = try RegressionGolden.load().dynamics
        let n = golden.y.count
        let blocks = Blocks(golden.kernel, train: n)
        let runs: [(Optimizer, [RegressionGolden.Dynamics.Point])] = [
            (.gradientFlow(learningRate: golden.learningRate), golden.gradientFlow),
            (.gradientDescent(learningRate: golden.learningRate), golden.gradientDescent),
            (.heavyBall(learningRate: golden.learningRate, momentum: golden.momentum), golden.heavyBall),
        ]
        for (optimizer, points) in runs {
            let dynamics = try TrainingDynamics(
                inPlace: blocks.trainTrain.copy(), groups: DuplicateGroups(distinct: n), targets: Matrix(golden.y), initial: Matrix(golden.initial),
                optimizer: optimizer)
            for point in points {
                let train = try Matrix(golden.initial).adding(dynamics.trainChange(point.time))
                let test = try Matrix(golden.initialTest).adding(dynamics.testChange(point.time, testTrain: blocks.testTrain))
                // Modes far below the rounding of the kernel's largest are only as good as that at late times.
                let allowed = point.time > 1e6 ? 1e-7 : 1e-11
                #expect(difference(train, point.train) < allowed, "\(optimizer), t = \(point.time)")
                #expect(difference(test, point.test) < allowed, "\(optimizer), t = \(point.time)")
            }
        }
    }
}
