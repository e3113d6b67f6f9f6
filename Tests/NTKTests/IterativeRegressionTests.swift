import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Conjugate gradients on tiles in float32 against a factor in float64.
struct IterativeRegressionTests {
    struct Problem {
        let x: Matrix<Double>
        let groups: DuplicateGroups
        let y: Matrix<Double>
        let kernel: Matrix<Double>
        let packed: PackedKernel

        init(n: Int, repeated: Int, side: Int) throws {
            let base = Matrix.random(n, 4, seed: 41)
            x = base.rows(Array(0..<n) + Array(0..<repeated))
            y = Matrix.random(n + repeated, 3, seed: 42)
            groups = DuplicateGroups(equalRowsOf: x)
            let source = try AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.2), features: 4)
            kernel = try #require(source.matrices(base, kinds: [.ntk], as: Double.self).ntk)
            packed = try PackedKernel(order: n, side: side, diagonal: kernel.diagonal) { rows, columns in
                try #require(source.matrices(base.rows(Array(rows)), base.rows(Array(columns)), kinds: [.ntk], as: Float.self).ntk)
            }
        }
    }

    @Test(arguments: [(300, 0, 128), (257, 20, 64), (50, 3, 64)])
    func givesWhatAFactorGives(n: Int, repeated: Int, side: Int) throws {
        let problem = try Problem(n: n, repeated: repeated, side: side)
        var options = KernelRidgeRegression.IterativeOptions(ridge: 0.01)
        options.preconditionerRank = 40
        let kernel = problem.kernel.copy()
        let fit = try KernelRidgeRegression(
            packed: problem.packed, groups: problem.groups, targets: problem.y, options: options, on: ConcurrentTiles()
        ) { try kernel.multiply($0, on: SerialTiles()) }
        let direct = try KernelRidgeRegression(
            inPlace: problem.kernel.copy(), groups: problem.groups, targets: problem.y, options: RegressionOptions(ridge: .fixed(0.01)))
        let (iterations, rank) = (try #require(fit.diagnostics.iterations), try #require(fit.diagnostics.preconditionerRank))
        #expect(fit.diagnostics.method == .conjugateGradient && iterations > 1 && iterations < 200 && rank > 10 && rank <= 40)
        #expect(fit.diagnostics.relativeResidual <= 1e-8 && !fit.hasFactor && direct.hasFactor)
        let test = Matrix.random(20, n, seed: 43)
        let (own, expected) = (try fit.mean(test), try direct.mean(test))
        let scale = expected.elements.reduce(0) { max($0, abs($1)) }
        #expect(own.subtracting(expected).elements.allSatisfy { abs($0) < 1e-5 * scale })
        #expect(try abs(#require(fit.diagnostics.rkhsNorm) / #require(direct.diagnostics.rkhsNorm) - 1) < 1e-6)
    }

    @Test func packedKernelIsTheKernel() throws {
        let problem = try Problem(n: 150, repeated: 0, side: 64)
        let vectors = Matrix.random(150, 2, seed: 44)
        let (own, expected) = (try problem.packed.multiply(vectors, on: ConcurrentTiles()), try problem.kernel.multiply(vectors, on: SerialTiles()))
        #expect(own.subtracting(expected).elements.allSatisfy { abs($0) < 1e-4 })
        let columns = try problem.packed.columns([0, 63, 64, 149], on: ConcurrentTiles())
        #expect(columns.subtracting(problem.kernel.columns([0, 63, 64, 149])).elements.allSatisfy { abs($0) < 1e-5 })
    }

    @Test func preconditionerApproachesTheKernel() throws {
        let problem = try Problem(n: 200, repeated: 0, side: 64)
        var last = Double.infinity
        for rank in [0, 20, 64, 130, 200] {
            let approximation = try RandomlyPivotedCholesky(diagonal: problem.kernel.diagonal, rank: rank, on: SerialTiles()) {
                problem.kernel.columns($0)
            }
            #expect(approximation.residualTrace < last && approximation.rank <= rank)
            last = approximation.residualTrace
            let left = try problem.kernel.addingGram(of: approximation.factor, scale: -1, on: SerialTiles()).diagonal.reduce(0, +)
            #expect(abs(left - approximation.residualTrace) < 1e-8)
        }
        #expect(last < 1e-8)
    }

    /// (F Fᵀ + μI) times the inverse's product is what it was, for counts of rows and vectors that fill no register.
    @Test(arguments: [(1, 1, 0), (7, 2, 64), (203, 3, 64), (1_030, 11, 128), (64, 5, 64)])
    func lowRankInverseIsTheInverse(n: Int, k: Int, rank: Int) throws {
        let factor = Matrix.random(n, rank, seed: 45)
        let right = Matrix.random(n, k, seed: 46)
        let shift = 0.3
        let inverse = try LowRankInverse(factor, shift: shift, on: ConcurrentTiles())
        let own = try inverse.apply(right, on: ConcurrentTiles())
        let back = rank == 0 ? own.copy() : try factor.multiply(factor.transposedMultiply(own, on: SerialTiles()), on: SerialTiles())
        if rank > 0 { back.add(own, scaled: [Double](repeating: shift, count: k)) }
        let expected = rank == 0 ? right.elements.map { $0 / shift } : right.elements
        #expect(zip(back.elements, expected).allSatisfy { abs($0 - $1) < 1e-9 })
    }

    @Test func saysWhenItDoesNotConverge() throws {
        let problem = try Problem(n: 150, repeated: 0, side: 64)
        var options = KernelRidgeRegression.IterativeOptions(ridge: 1e-9)
        (options.preconditionerRank, options.mostIterations) = (5, 10)
        #expect(throws: RegressionError.self) {
            try KernelRidgeRegression(packed: problem.packed, targets: problem.y, options: options)
        }
    }
}
