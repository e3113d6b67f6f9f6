import LearningCurves
import NTK
import Testing

struct ExpectedErrorTests {
    static let spectrum = ModeSpectrum(
        eigenvalues: (1...300).map { 1 / (Double($0) * Double($0)) }, powers: (1...300).map { 1 / Double($0 * $0) }, unlearnable: 0.01)

    /// Without a number of features it is eigenlearning, to the last digits.
    @Test(arguments: [4.0, 50, 299, 300, 1000], [0.0, 1e-3, 1])
    func isEigenlearning(samples: Double, ridge: Double) throws {
        let spectrum = Self.spectrum
        let known = try Eigenlearning(
            eigenvalues: spectrum.eigenvalues, coefficients: spectrum.powers.map { $0.squareRoot() }, samples: samples, ridge: ridge, noise: 0.01)
        let mine = ExpectedError(spectrum, samples: samples, ridge: ridge)
        #expect(abs(mine.kappa - known.constant) <= 1e-12 * known.constant)
        if let error = known.testError, let own = mine.testError {
            #expect(abs(own - error) <= 1e-9 * error)
        } else {
            #expect(samples == 300 && ridge == 0)
        }
    }

    /// Many features are the kernel; few are worse, and as many as samples without a ridge the worst.
    @Test func features() throws {
        let whole = ExpectedError(Self.spectrum, samples: 50, ridge: 1e-3)
        let many = ExpectedError(Self.spectrum, samples: 50, ridge: 1e-3, features: 1e15)
        let (error, other) = (try #require(whole.testError), try #require(many.testError))
        #expect(abs(error - other) <= 1e-12 * error)
        var last = Double.infinity
        for count in [60.0, 100, 1000, 10_000] {
            let ridge = try #require(ExpectedError(Self.spectrum, samples: 50, ridge: 1e-3, features: count).testError)
            #expect(ridge >= error * (1 - 1e-12) && ridge < last)
            last = ridge
        }
        // Both equations hold.
        let both = ExpectedError(Self.spectrum, samples: 50, ridge: 1e-3, features: 80)
        let sum = Self.spectrum.eigenvalues.reduce(0) { $0 + $1 / ($1 + both.gamma) }
        #expect(abs(sum + 1e-3 / both.kappa - 50) <= 1e-11 * 50)
        #expect(abs(sum + 80 * both.kappa / both.gamma - 80) <= 1e-11 * 80)
    }

    @Test func multiplicitiesAreModes() throws {
        let apart = ModeSpectrum(eigenvalues: [1, 0.1, 0.1, 0.1], powers: [1, 0.2, 0, 0.3], tail: 0.1)
        let joined = ModeSpectrum(eigenvalues: [1, 0.1], multiplicities: [1, 3], powers: [1, 0.5], tail: 0.1)
        for samples in [2.0, 10] {
            let (left, right) = (ExpectedError(apart, samples: samples, ridge: 0), ExpectedError(joined, samples: samples, ridge: 0))
            #expect(abs(try #require(left.testError) - (try #require(right.testError))) <= 1e-13)
        }
    }

    @Test func bestRidgeIsBest() throws {
        let (ridge, error) = Self.spectrum.bestRidge(samples: 40)
        let best = try #require(error.testError)
        for factor in [0.3, 0.9, 1.1, 3] {
            #expect(try #require(ExpectedError(Self.spectrum, samples: 40, ridge: ridge * factor).testError) >= best * (1 - 1e-9))
        }
    }

    @Test func requiredSamplesAreTheFewest() throws {
        let error = { (n: Double) in ExpectedError(Self.spectrum, samples: n, ridge: 1e-3).testError }
        let n = try #require(requiredSamples(target: 0.05, error: error))
        #expect(try #require(error(n)) <= 0.05)
        #expect(try #require(error(n - 1)) > 0.05)
        #expect(requiredSamples(target: 0.009, error: error) == nil)
    }
}
