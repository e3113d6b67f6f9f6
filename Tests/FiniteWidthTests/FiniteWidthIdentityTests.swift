import FiniteWidth
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// What holds exactly.
struct FiniteWidthIdentityTests {
    static let homogeneous: [Activation] = [.relu, .abRelu(a: 0.1, b: 1), .abRelu(a: -1, b: 1), .abRelu(a: 1, b: 1)]
    static let others: [Activation] = [.erf, .erf(a: 0.7, b: 1.3, c: 0), .tanh, .gelu(approximate: false), .sin(a: 1, b: 1, c: 0.3), .swish]
    static let all = homogeneous + others

    func run(_ architecture: Layer, _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil) throws -> FiniteWidthTheory.Result {
        try FiniteWidthTheory(architecture, features: x1.columns).run(x1, x2, on: SerialTiles())
    }

    /// Without biases the mean of Θ̂(x, x) is that of the limit at any width and depth (arXiv 2508.11522, theorem 5).
    @Test(arguments: homogeneous, [1, 2, 5, 12])
    func homogeneousNetworksKeepTheirDiagonal(_ activation: Activation, depth: Int) throws {
        let x = Matrix<Double>.random(4, 3, seed: 1)
        let result = try run(.mlp(depth: depth, activation: activation, weightStd: 1.3), x)
        for i in 0..<4 {
            #expect(abs(result.ntk.correction[i, i]) <= 1e-13 * result.ntk.limit[i, i])
            #expect(abs(result.nngp.correction[i, i]) <= 1e-13 * result.nngp.limit[i, i])
            #expect(result.ntk.variance[i, i] > 0)
        }
    }

    /// One hidden layer: its input has no fluctuations, so that the mean is that of the limit for every function.
    @Test(arguments: all)
    func oneHiddenLayerHasNoCorrection(_ activation: Activation) throws {
        let affine = Affine(weightStd: 1.2, biasStd: 0.3)
        let result = try run(.mlp(depth: 1, activation: activation, hidden: affine, readout: affine), .random(4, 3, seed: 2))
        #expect(result.ntk.correction.elements.allSatisfy { $0 == 0 })
        #expect(result.nngp.correction.elements.allSatisfy { $0 == 0 })
        #expect(result.ntk.variance.elements.allSatisfy { $0 > 0 })
    }

    /// Products of Wishart matrices: with L hidden layers of variance c, Cov(K̂_ab, K̂_ce) = L c^2(L+1) (k_ac k_be + k_ae k_bc)/n, where k = x x'/d.
    @Test(arguments: [1, 2, 3, 7])
    func linearNetworksAreWishart(depth: Int) throws {
        let x = Matrix<Double>.random(3, 4, seed: 3)
        let variance = 1.44
        let result = try run(.mlp(depth: depth, activation: .abRelu(a: 1, b: 1), weightStd: variance.squareRoot()), x)
        let gram = try x.multiplyTransposed(x, on: SerialTiles())
        func power(_ n: Int) -> Double { (0..<n).reduce(1) { value, _ in value * variance } }
        for i in 0..<3 {
            for j in 0..<3 {
                let (a, b, c) = (gram[i, i] / 4, gram[j, j] / 4, gram[i, j] / 4)
                let expected = Double(depth) * power(2 * depth + 2) * (a * b + c * c)
                #expect(abs(result.nngp.variance[i, j] - expected) <= 1e-12 * expected)
                #expect(abs(result.nngp.correction[i, j]) <= 1e-12)
                let kurtosis = 3 * Double(depth) * 2
                #expect(abs(result.excessKurtosis[i] - kurtosis) <= 1e-11 * kurtosis)
            }
        }
    }

    /// The order of the two inputs, two sets instead of one, and an expression instead of a name change nothing.
    @Test(arguments: all)
    func symmetries(_ activation: Activation) throws {
        let x = Matrix<Double>.random(3, 4, seed: 4)
        let affine = Affine(weightStd: 1.1, biasStd: 0.4)
        let architecture = Layer.mlp(depth: 3, activation: activation, hidden: affine, readout: affine)
        let one = try run(architecture, x)
        let two = try run(architecture, x, x.rows([2, 1, 0]))
        for i in 0..<3 {
            for j in 0..<3 {
                for (left, right) in [(one.ntk, two.ntk), (one.nngp, two.nngp)] {
                    for (a, b) in [(left.limit, right.limit), (left.correction, right.correction), (left.variance, right.variance)] {
                        #expect(abs(a[i, j] - b[i, 2 - j]) <= 1e-10 * max(abs(a[i, i]), abs(a[j, j]), 1e-3))
                        #expect(a[i, j] == a[j, i])
                    }
                }
            }
        }
    }

    /// The limit is the analytic kernel.
    @Test(arguments: all, [Parameterization.ntk, .standard])
    func limitIsTheAnalyticKernel(_ activation: Activation, _ parameterization: Parameterization) throws {
        let x = Matrix<Double>.random(4, 3, seed: 5)
        let first = Affine(width: 40, weightStd: 1.1, biasStd: 0.4, parameterization: parameterization)
        let frozen = Affine(width: 80, weightStd: 1.3, biasStd: 0.2, parameterization: parameterization, isTrainable: false)
        let architecture = Layer.serial([
            .dense(first), .activation(activation), .dense(frozen), .activation(activation), .dense(first), .activation(activation), .dense(first),
        ])
        let theory = try FiniteWidthTheory(architecture, features: 3)
        let result = try theory.run(x, width: 40, on: SerialTiles())
        let kernels = try AnalyticKernel(architecture, features: 3).matrices(x, kinds: [.ntk, .nngp], as: Double.self)
        let pairs = [(result.ntk.limit, try #require(kernels.ntk)), (result.nngp.limit, try #require(kernels.nngp))]
        for (mine, known) in pairs {
            for (a, b) in zip(mine.elements, known.elements) { #expect(abs(a - b) <= 1e-9 * abs(known[0, 0]), "\(activation)") }
        }
        #expect(theory.width == 40)
    }

    /// Of widths (n, 2n) a layer's own share counts with its own width: with one layer infinitely wide only the other's is left.
    @Test func widthsOfTheirOwn() throws {
        let x = Matrix<Double>.random(2, 3, seed: 6)
        func variance(_ widths: [Int]) throws -> Double {
            let layers = widths.flatMap { [Layer.dense(Affine(width: $0, weightStd: 1.2)), .relu] }
            return try run(.serial(layers + [.dense(Affine())]), x).nngp.variance[0, 1]
        }
        let both = try variance([64, 64])
        let (first, second) = (try variance([64, 1 << 20]), try variance([1 << 20, 64]))
        #expect(abs(first + second - both) <= 1e-4 * both)
        #expect(first > 0.1 * both && second > 0.1 * both)
    }

    /// Parallel inputs without biases: what the second network computes is a multiple of the first.
    @Test(arguments: [2.0, 0.25])
    func parallelInputs(_ factor: Double) throws {
        let x = Matrix<Double>([[0.3, -1.1, 0.7], [0.3 * factor, -1.1 * factor, 0.7 * factor]])
        let result = try run(.mlp(depth: 4, activation: .relu, weightStd: 1.4), x)
        #expect(abs(result.ntk.correction[0, 1]) <= 1e-12 * result.ntk.limit[0, 1])
        #expect(abs(result.ntk.variance[0, 1] - factor * factor * result.ntk.variance[0, 0]) <= 1e-12 * result.ntk.variance[0, 0])
    }

    @Test func everySizeOfAngle() throws {
        for exponent in 0...9 {
            let angle = 1.0 / Double((0..<exponent).reduce(1) { value, _ in value * 10 })
            let x = Matrix<Double>([[1, 0.5], [1 - 0.5 * angle, 0.5 + angle]])
            let affine = Affine(weightStd: 1.4, biasStd: 0.1)
            let result = try run(.mlp(depth: 3, activation: .relu, hidden: affine, readout: affine), x)
            let own = result.ntk.variance[0, 0]
            // As inputs approach each other, so do the coefficients.
            #expect(abs(result.ntk.variance[0, 1] - own) <= 3 * max(angle, 1e-4) * own, "\(angle)")
            #expect(abs(result.ntk.correction[0, 1] - result.ntk.correction[0, 0]) <= 3 * max(angle, 1e-4) * result.ntk.limit[0, 0], "\(angle)")
        }
    }

    @Test func requiredWidthIsTheSmallest() throws {
        let result = try run(.mlp(depth: 3, activation: .relu, weightStd: 1.4), .random(4, 3, seed: 7))
        let width = try #require(result.ntk.requiredWidth(tolerance: 0.05))
        #expect(result.ntk.relativeSpread(width: width) <= 0.05 && result.ntk.relativeSpread(width: width - 1) > 0.05)
    }

    @Test(arguments: [
        (Layer.serial([.dense(Affine()), .relu]), ""), (.serial([.relu, .dense(Affine())]), "/layers/0"),
        (.serial([.dense(Affine()), .relu, .relu, .dense(Affine())]), "/layers/2"),
        (.serial([.dense(Affine()), .globalPool(.average), .dense(Affine())]), "/layers/1"),
        (.serial([.dense(Affine(width: 3)), .relu, .dense(Affine()), .relu, .dense(Affine())]), "/layers/2"),
        (.repeated(.repeated(.identity, count: 1 << 40), count: 1 << 40), ""), (.mlp(depth: 1 << 40, activation: .relu), ""),
        (.serial([.dense(Affine()), .activation(.expNormalized(gamma: 1, shift: -1)), .dense(Affine())]), "/layers/1"),
    ])
    func refuses(_ architecture: Layer, path: String) throws {
        do {
            _ = try FiniteWidthTheory(architecture, features: 2)
            Issue.record("accepted")
        } catch { #expect(error.path == path) }
    }
}

extension FiniteWidthIdentityTests {
    /// The series of kinked functions are left where they do not end: nearly equal points get the coefficients of equal ones, and the estimate
    /// of the error says how near they are.
    @Test func nearlyEqualPointsOfKinkedFunctions() throws {
        let affine = Affine(weightStd: 1.4, biasStd: 0.1)
        let architecture = Layer.mlp(depth: 3, activation: .elu(alpha: 1, scale: 1), hidden: affine, readout: affine)
        for gap in [1e-2, 1e-4, 1e-6] {
            let result = try run(architecture, Matrix<Double>([[1, 0.5], [1 - 0.5 * gap, 0.5 + gap]]))
            #expect(abs(result.ntk.correction[0, 1] - result.ntk.correction[0, 0]) <= 3 * gap * result.ntk.limit[0, 0])
            #expect(abs(result.ntk.variance[0, 1] / result.ntk.variance[0, 0] - 1) <= 3 * gap)
            #expect(result.errorEstimate <= 3 * gap)
        }
    }
}
