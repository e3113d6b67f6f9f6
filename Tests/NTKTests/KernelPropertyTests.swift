import LinearAlgebra
import NTK
import TestSupport
import Testing

/// What must hold for any kernel of any architecture.
struct KernelPropertyTests {
    static let architectures: [Layer] = [
        .mlp(depth: 3, weightStd: 2.0.squareRoot()),
        .mlp(depth: 2, weightStd: 1.5, biasStd: 0.3),
        .mlp(depth: 3, activation: .erf, weightStd: 1.2, biasStd: 0.1),
        .mlp(depth: 2, activation: .abRelu(a: -1, b: 1), weightStd: 1),
        .mlp(depth: 2, activation: .abRelu(a: 0.2, b: 1), weightStd: 1, biasStd: 0.5),
        .mlp(depth: 1, activation: .erf(a: 0.6, b: 0.8, c: 0.3), weightStd: 2),
        .serial([.dense(Affine(weightStd: 1.1, biasStd: 0.2))]),
        .serial([
            .dense(Affine(width: 32, weightStd: 1.4, biasStd: 0, parameterization: .standard)), .relu,
            .dense(Affine(width: 3, weightStd: 1.4, biasStd: 0.3, parameterization: .standard)), .erf,
            .dense(Affine(weightStd: 1.3)),
        ]),
    ]

    static let both: Set<KernelKind> = [.ntk, .nngp]

    static func kernels(_ architecture: Layer, _ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil) throws -> [Matrix<Double>] {
        let result = try AnalyticKernel(architecture, features: x1.columns).matrices(x1, x2, kinds: both, as: Double.self)
        return [try #require(result.nngp), try #require(result.ntk)]
    }

    @Test(arguments: architectures)
    func isSymmetricBitForBit(architecture: Layer) throws {
        let x = Matrix.random(300, 7, seed: 1)
        for kernel in try Self.kernels(architecture, x) {
            for i in 0..<300 { for j in 0..<i where kernel[i, j] != kernel[j, i] { Issue.record("\(i), \(j)") } }
        }
    }

    /// Also: the symmetric path and the general one agree, and the diagonal's own formula with both.
    @Test(arguments: architectures)
    func withItselfIsTheSame(architecture: Layer) throws {
        let x = Matrix.random(70, 5, seed: 2)
        let kernel = try AnalyticKernel(architecture, features: 5)
        let diagonals = try kernel.diagonals(x, kinds: Self.both, as: Double.self)
        for (index, (same, cross)) in try zip(Self.kernels(architecture, x), Self.kernels(architecture, x, x)).enumerated() {
            let diagonal = try #require(index == 0 ? diagonals.nngp : diagonals.ntk)
            for i in 0..<70 {
                #expect(same[i, i] == diagonal[i])
                for j in 0..<70 { #expect(abs(same[i, j] - cross[i, j]) <= 4e-15 * (same[i, i] * same[j, j]).squareRoot()) }
            }
        }
    }

    /// A pair's value depends, bit for bit, on its two points only: not on their places, on what else is in the request, or on the tiles.
    @Test(arguments: architectures)
    func doesNotDependOnPlace(architecture: Layer) throws {
        for features in [3, 50, 400] {
            let x = Matrix.random(300, features, seed: 3)
            let all = try Self.kernels(architecture, x)
            for (i, j) in [(0, 1), (17, 299), (255, 256), (64, 190), (298, 299)] {
                let pair = Matrix([x.row(i), x.row(j)])
                for (whole, alone) in try zip(all, Self.kernels(architecture, pair)) { #expect(whole[i, j] == alone[0, 1]) }
                let cross = try Self.kernels(architecture, Matrix([x.row(j)]), Matrix([x.row(0), x.row(1), x.row(i)]))
                for (whole, alone) in zip(all, cross) { #expect(whole[i, j] == alone[0, 2]) }
            }
        }
    }

    @Test(arguments: architectures)
    func isPositiveSemiDefinite(architecture: Layer) throws {
        // With duplicates, opposite and zero points: singular, so that rounding would show.
        var rows = Matrix.random(40, 3, seed: 4)
        rows = Matrix((0..<40).map { rows.row($0) } + [rows.row(0), rows.row(1).map { -$0 }, [0, 0, 0], rows.row(2).map { 3 * $0 }])
        for kernel in try Self.kernels(architecture, rows) {
            let trace = (0..<44).reduce(0.0) { $0 + kernel[$1, $1] }
            let shifted = kernel.copy()
            shifted.addToDiagonal(1e-13 * trace)
            #expect(throws: Never.self) { try Cholesky(inPlace: shifted, on: SerialTiles()) }
        }
    }

    @Test(arguments: architectures)
    func kindsAndThreadsDoNotMatter(architecture: Layer) throws {
        let x = Matrix.random(260, 6, seed: 5)
        let kernel = try AnalyticKernel(architecture, features: 6)
        let both = try Self.kernels(architecture, x)
        let ntk = try kernel.matrices(x, kinds: [.ntk], as: Double.self, on: SerialTiles())
        let nngp = try kernel.matrices(x, kinds: [.nngp], as: Double.self, on: SerialTiles())
        #expect(nngp.nngp?.elements == both[0].elements && nngp.ntk == nil)
        #expect(ntk.ntk?.elements == both[1].elements && ntk.nngp == nil)
    }

    @Test(arguments: architectures)
    func float32AgreesWithFloat64(architecture: Layer) throws {
        let x = Matrix.random(90, 20, seed: 6)
        let kernel = try AnalyticKernel(architecture, features: 20)
        let double = try Self.kernels(architecture, x)
        let single = try kernel.matrices(x, kinds: Self.both, as: Float.self)
        for (exact, rounded) in try zip(double, [#require(single.nngp), #require(single.ntk)]) {
            for i in 0..<90 {
                for j in 0..<90 {
                    #expect(abs(Double(rounded[i, j]) - exact[i, j]) <= 1e-6 * (exact[i, i] * exact[j, j]).squareRoot())
                }
            }
        }
    }

    /// Zero, opposite, equal, tiny and huge points, alone and together: numbers, never NaN.
    @Test(arguments: architectures)
    func degeneratePoints(architecture: Layer) throws {
        let x = Matrix([
            [0, 0], [1, 2], [1, 2], [-1, -2], [1e-200, 0], [-1e-200, 1e-200], [1e100, -1e100], [.leastNonzeroMagnitude, 0], [2, 4],
        ])
        for kernel in try Self.kernels(architecture, x) + Self.kernels(architecture, x, x) {
            #expect(kernel.isFinite)
            for i in 0..<x.rows {
                #expect(kernel[i, i] >= 0)
                for j in 0..<x.rows { #expect(abs(kernel[i, j]) <= (kernel[i, i] * kernel[j, j]).squareRoot() * (1 + 1e-14) + 1e-300) }
            }
            #expect(abs(kernel[1, 2] - kernel[1, 1]) <= 1e-15 * kernel[1, 1], "equal points are as one")
        }
    }

    @Test func overflowIsAnError() throws {
        let x = Matrix([[1, 1], [1e200, 1]])
        let kernel = try AnalyticKernel(.mlp(depth: 1), features: 2)
        #expect(throws: KernelError.overflow(set: "x1", point: 1, precision: "float64")) {
            try kernel.matrices(x, kinds: [.ntk], as: Double.self)
        }
        #expect(throws: KernelError.overflow(set: "x2", point: 0, precision: "float32")) {
            try kernel.matrices(Matrix([[1, 1]]), Matrix([[1e25, 1]]), kinds: [.ntk], as: Float.self)
        }
    }

    /// (|u| + |−u|)/2 = |u|, relu(u) = (u + |u|)/2: the kernel of relu is the mean of those of the identity and of abs.
    @Test func reluIsTheMeanOfIdentityAndAbs() throws {
        let x = Matrix.random(30, 4, seed: 7)
        let relu = try Self.kernels(.mlp(depth: 1, activation: .relu, weightStd: 1), x)[0]
        let identity = try Self.kernels(.mlp(depth: 1, activation: .abRelu(a: 1, b: 1), weightStd: 1), x)[0]
        let abs = try Self.kernels(.mlp(depth: 1, activation: .abRelu(a: -1, b: 1), weightStd: 1), x)[0]
        for i in 0..<30 { for j in 0..<30 { #expect(Swift.abs(4 * relu[i, j] - identity[i, j] - abs[i, j]) < 1e-15) } }
    }

    /// A homogeneous network without bias: K(sx, ty) = s t K(x, y) for s, t > 0.
    @Test func isHomogeneous() throws {
        let x = Matrix.random(20, 4, seed: 8)
        let scaled = Matrix((0..<20).map { row in x.row(row).map { $0 * (1 + Double(row)) } })
        for (plain, stretched) in try zip(Self.kernels(Self.architectures[0], x), Self.kernels(Self.architectures[0], scaled)) {
            for i in 0..<20 {
                for j in 0..<20 {
                    let factor = Double((1 + i) * (1 + j))
                    #expect(abs(stretched[i, j] - factor * plain[i, j]) <= 1e-14 * factor * (plain[i, i] * plain[j, j]).squareRoot())
                }
            }
        }
    }
}
