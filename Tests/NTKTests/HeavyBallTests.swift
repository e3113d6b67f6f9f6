import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Training of one point with K = 1, where ρ = 1 − f/y, against loops and values of 60 digits.
struct HeavyBallTests {
    static func remainder(_ optimizer: Optimizer, _ t: Double) throws -> (remainder: Double, change: Double) {
        let dynamics = try TrainingDynamics(
            inPlace: Matrix([[1.0]]), groups: DuplicateGroups(distinct: 1), targets: Matrix([[1.0]]), optimizer: optimizer)
        return ((2 * dynamics.trainLoss(t)).squareRoot(), try dynamics.testChange(t, testTrain: Matrix([[1.0]]))[0, 0])
    }

    @Test(
        arguments: [0, 0.1, 0.5, 0.9, 0.99, 1 - 1e-6, 1 - 1e-12],
        [1e-18, 1e-9, 1e-4, 0.0025, 0.01, 0.09, 0.25, 0.3, 1, 1.9, 2.2, 2.9, 3.61, 3.7])
    func isTheLoop(momentum: Double, rate: Double) throws {
        // (1 − √0.9025)² = 0.0025 and (1 + √0.81)² = 3.61 are near double roots.
        var (last, now, gain, lastGain) = (1.0, 1.0, 0.0, 0.0)
        for step in 1...200 {
            (last, now) = (now, (1 + momentum - rate) * now - momentum * last)
            (lastGain, gain) = (gain, gain + momentum * (gain - lastGain) - rate * gain + 1)
            guard abs(now) < 1e100 else { break }
            guard [1, 2, 3, 7, 20, 63, 64, 65, 200].contains(step) else { continue }
            let own = try Self.remainder(.heavyBall(learningRate: rate, momentum: momentum), Double(step))
            let size = max(abs(now), abs(rate * gain), 1e-3)
            #expect(abs(own.remainder - abs(now)) < 1e-11 * max(size, 1), "\(momentum) \(rate) \(step): \(own.remainder) for \(now)")
            #expect(abs(own.change - rate * gain) < 1e-11 * max(abs(rate * gain), abs(now) * 1e-3), "\(momentum) \(rate) \(step)")
        }
    }

    @Test func manySteps() throws {
        for (momentum, rate, steps, loss, mean) in [
            (0.9, 1e-18, 0x1p53, 0.4175749768042776, 0.08613460859459439), (0.99, 1e-12, 1e12, 6.919469000933418e-88, 1.0),
            (0.999999, 1e-9, 1e6, 0.17761908445990113, 0.4039814022030837),
        ] {
            let own = try Self.remainder(.heavyBall(learningRate: rate, momentum: momentum), steps)
            #expect(abs(own.remainder * own.remainder / 2 - loss) < 1e-12 * loss + 1e-98 && abs(own.change - mean) < 1e-13)
        }
    }

    /// Searches end, whatever the rate.
    @Test(arguments: [1e308, 1.0, 1e-308])
    func timesToReachEnd(rate: Double) throws {
        for optimizer in [
            Optimizer.gradientFlow(learningRate: rate), .gradientDescent(learningRate: rate), .heavyBall(learningRate: rate, momentum: 0.9),
        ] {
            for (kernel, y) in [([[1.0, 1], [1, 1]], [[1.0], [-1]]), ([[1.0, 0.5], [0.5, 1]], [[1.0], [2]])] {
                let dynamics = try TrainingDynamics(
                    inPlace: Matrix(kernel), groups: DuplicateGroups(distinct: 2), targets: Matrix(y), optimizer: optimizer)
                let time = try dynamics.timeToReach(loss: 0.001)
                if let time { #expect(time.isFinite && dynamics.trainLoss(time) <= 0.001) }
                #expect(kernel[0][1] < 1 || time == nil)
            }
        }
    }

    /// κ of extreme ridges and kernels, where there is one.
    @Test(
        arguments: [(1e308, 2.6, 1.0), (1e-300, 1e308, 1), (1, 1e308, 1), (1, 1e-3, 1e15), (1e-300 * 1e-20, 1e-300 * 1e-20, 2)]
            as [(Double, Double, Double)])
    func eigenlearningEnds(value: Double, ridge: Double, samples: Double) throws {
        let theory = try Eigenlearning(eigenvalues: [value], coefficients: [1], samples: samples, ridge: ridge, noise: 0)
        let kappa = theory.constant
        // κ² + (λ − (λ + δ)/n) κ − λδ/n = 0, in units of the larger of λ and δ.
        let unit = max(value, ridge)
        let (l, d, k) = (value / unit, ridge / unit, kappa / unit)
        let left = k * k + (l - (l + d) / samples) * k - l * d / samples
        #expect(abs(left) <= 1e-13 * (k * k + (l + d) * k + l * d) || value < 1e-300, "\(kappa)")
        #expect(throws: RegressionError.self) {
            try Eigenlearning(eigenvalues: [1.7e308], coefficients: [1], samples: 1, ridge: 1.7e308, noise: 0)
        }
    }
}
