import LinearAlgebra
import NTK
import TestSupport
import Testing

/// No answer depends on units: rows, columns, targets and ridges times powers of two from 2^−498 to 2^498.
struct ScaleTests {
    private struct Problem {
        let kernel, cross, targets: Matrix<Double>
        let prior: [Double]

        /// Points and test points of a kernel of condition about 10³.
        init(points n: Int = 6) throws {
            let x = Matrix.random(n + 3, 4, seed: 11)
            let all = try #require(
                AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.2), features: 4).matrices(x, kinds: [.ntk], as: Double.self).ntk)
            kernel = all.rows(Array(0..<n)).columns(Array(0..<n))
            cross = all.rows(Array(n..<n + 3)).columns(Array(0..<n))
            prior = (n..<n + 3).map { all[$0, $0] }
            targets = Matrix.random(n, 2, seed: 12)
        }

        private init(_ kernel: Matrix<Double>, _ cross: Matrix<Double>, _ prior: [Double], _ targets: Matrix<Double>) {
            (self.kernel, self.cross, self.prior, self.targets) = (kernel, cross, prior, targets)
        }

        /// S K S, k S, S y, with the units of the test points and the outputs.
        func scaled(rows: [Int], tests: [Int], outputs: [Int]) -> Problem {
            func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
            func times(_ matrix: Matrix<Double>, _ left: [Int], _ right: [Int]) -> Matrix<Double> {
                Matrix((0..<matrix.rows).map { i in (0..<matrix.columns).map { matrix[i, $0] * power(left[i] + right[$0]) } })
            }
            return Problem(
                times(kernel, rows, rows), times(cross, tests, rows), zip(prior, tests).map { $0 * power(2 * $1) }, times(targets, rows, outputs))
        }
    }

    private static func powers(_ count: Int, _ most: Int, _ generator: inout SeededGenerator) -> [Int] {
        (0..<count).map { _ in Int.random(in: -most...most, using: &generator) }
    }

    private static func expectEqual(_ own: Matrix<Double>, _ expected: Matrix<Double>, rows: [Int], columns: [Int], _ comment: String) {
        for i in 0..<expected.rows {
            for j in 0..<expected.columns {
                let right = expected[i, j].scaled(by: rows[i] + columns[j])
                #expect(abs(own[i, j] - right) <= 1e-11 * abs(right), "\(comment): \(own[i, j]) for \(right)")
            }
        }
    }

    /// Without a ridge every row has its own unit.
    @Test(arguments: 0..<40)
    func rowsHaveNoUnits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let plain = try Problem()
        let (rows, tests, outputs) = (
            Self.powers(6, 240, &generator), Self.powers(3, 200, &generator), Self.powers(2, 200, &generator)
        )
        let scaled = plain.scaled(rows: rows, tests: tests, outputs: outputs)
        func fit(_ problem: Problem, _ policy: SingularPolicy) throws -> KernelRidgeRegression {
            try KernelRidgeRegression(
                inPlace: problem.kernel.copy(), targets: problem.targets, options: RegressionOptions(onSingular: policy))
        }
        for policy in SingularPolicy.allCases {
            let (own, expected) = (try fit(scaled, policy), try fit(plain, policy))
            #expect(own.diagnostics.method == .cholesky && own.diagnostics.rank == 6 && own.diagnostics.jitter == 0)
            Self.expectEqual(try own.mean(scaled.cross), try expected.mean(plain.cross), rows: tests, columns: outputs, "\(policy)")
            let variances = try own.variance(scaled.cross, diagonal: scaled.prior)
            for (test, right) in try expected.variance(plain.cross, diagonal: plain.prior).enumerated() {
                #expect(abs(variances[test] - right.scaled(by: 2 * tests[test])) <= 1e-10 * scaled.prior[test])
            }
        }
        // Conjugate gradients.
        func iterate(_ problem: Problem) throws -> Matrix<Double> {
            let diagonal = problem.kernel.diagonal
            let scaling = UnitScaling(diagonal: diagonal, tame: 40)
            let factors = scaling.factors
            let tiles = try PackedKernel(
                order: 6, side: 64, diagonal: zip(diagonal, factors).map { $0 * $1 * $1 }, scaling: scaling
            ) { rows, columns in
                Matrix<Float>(
                    rows: rows.count, columns: columns.count,
                    rows.flatMap { i in columns.map { Float(problem.kernel[i, $0] * factors[i] * factors[$0]) } })
            }
            let fit = try KernelRidgeRegression(packed: tiles, targets: problem.targets, options: .init(ridge: 0)) { vectors in
                try problem.kernel.multiply(vectors, on: SerialTiles())
            }
            return try fit.mean(problem.cross)
        }
        let (own, expected) = (try iterate(scaled), try fit(plain, .refuse).mean(plain.cross))
        for i in 0..<3 {
            for j in 0..<2 {
                #expect(abs(own[i, j].scaled(by: -tests[i] - outputs[j]) - expected[i, j]) < 1e-5)
            }
        }
    }

    /// A unit of the whole kernel is that of the ridge: all criteria choose the same, with the same leave-one-out residuals.
    @Test(arguments: [-498, -301, -40, 33, 207, 498])
    func kernelAndRidgeHaveOneUnit(unit: Int) throws {
        let plain = try Problem()
        let (rows, tests, outputs) = ([Int](repeating: unit, count: 6), [Int](repeating: unit, count: 3), [unit / 3, -unit / 2])
        var scaled = plain.scaled(rows: rows, tests: tests, outputs: outputs)
        // Targets are not rows of the kernel here.
        scaled = scaled.scaled(rows: [Int](repeating: 0, count: 6), tests: [0, 0, 0], outputs: [-unit, -unit])
        let candidates = [1e-3, 0.03, 0.1, 1, 10]
        for criterion in RidgeCriterion.allCases {
            func fit(_ problem: Problem, _ unit: Int) throws -> KernelRidgeRegression {
                // One output, so that what is summed over outputs has one unit.
                let targets = criterion == .marginalLikelihood ? problem.targets : problem.targets.columns([0])
                return try KernelRidgeRegression(
                    inPlace: problem.kernel.copy(), targets: targets,
                    options: RegressionOptions(ridge: .select(criterion, candidates: candidates.map { $0.scaled(by: 2 * unit) })))
            }
            let (own, expected) = (try fit(scaled, unit), try fit(plain, 0))
            #expect(own.diagnostics.selection?.best == expected.diagnostics.selection?.best, "\(criterion)")
            let mean = try expected.mean(plain.cross)
            Self.expectEqual(
                try own.mean(scaled.cross), mean, rows: [0, 0, 0], columns: Array(outputs.prefix(mean.columns)), "\(criterion)")
            let (residuals, right) = (try #require(own.leaveOneOutResiduals), try #require(expected.leaveOneOutResiduals))
            Self.expectEqual(
                residuals, right, rows: [Int](repeating: 0, count: 6), columns: Array(outputs.prefix(mean.columns)), "\(criterion)")
        }
    }

    /// A kernel of modes 2^1000 apart keeps each eigenvalue's digits, and training learns each at its own rate.
    @Test(arguments: [-220, -60, 30, 170])
    func spectraAndDynamicsOfGradedKernels(unit: Int) throws {
        let plain = try Problem()
        // Two blocks that know nothing of each other, one in another unit.
        let block = plain.kernel.rows([0, 1, 2]).columns([0, 1, 2])
        let joined = Matrix(
            (0..<6).map { i in
                (0..<6).map { j in i / 3 == j / 3 ? block[i % 3, j % 3].scaled(by: i < 3 ? 0 : 2 * unit) : 0 }
            })
        let small = try KernelSpectrum(inPlace: block.copy()).eigenvalues
        let spectrum = try KernelSpectrum(inPlace: joined.copy())
        let expected = (small + small.map { $0.scaled(by: 2 * unit) }).sorted(by: >)
        #expect(spectrum.rank == 6)
        for (own, right) in zip(spectrum.eigenvalues, expected) { #expect(abs(own - right) < 1e-12 * right) }
        let targets = plain.targets.columns([0])
        for time in [0.3, 20] {
            let rate = Optimizer.gradientFlow(learningRate: 1)
            let all = try TrainingDynamics(inPlace: joined.copy(), groups: DuplicateGroups(distinct: 6), targets: targets, optimizer: rate)
            let first = try TrainingDynamics(
                inPlace: block.copy(), groups: DuplicateGroups(distinct: 3), targets: targets.rows([0, 1, 2]),
                optimizer: .gradientFlow(learningRate: 0.5))
            let change = try all.trainChange(time)
            let right = try first.trainChange(time)
            for i in 0..<3 { #expect(abs(change[i, 0] - right[i, 0]) < 1e-12) }
        }
    }

    /// One row of a no-data marker is one row.
    @Test(arguments: [1e7, 1e12, 1e150])
    func aMarkerIsOneRow(marker: Double) throws {
        let x = Matrix.random(20, 3, seed: 5)
        let marked = Matrix((0..<20).map { $0 == 7 ? [marker, marker, marker] : x.row($0) })
        let test = Matrix.random(4, 3, seed: 6)
        let y = Matrix.random(20, 1, seed: 7)
        let network = try AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.1), features: 3)
        func mean(_ x: Matrix<Double>, _ y: Matrix<Double>, _ ridge: Double) throws -> Matrix<Double> {
            let fit = try KernelRidgeRegression(
                inPlace: #require(network.matrices(x, kinds: [.ntk], as: Double.self).ntk), targets: y,
                options: RegressionOptions(ridge: .fixed(ridge)))
            return try fit.mean(#require(network.matrices(test, x, kinds: [.ntk], as: Double.self).ntk))
        }
        for ridge in [0, 1e-3, 1] {
            let all = try mean(marked, y, ridge)
            // A point so far away binds one direction; without it the others say much the same.
            let without = try mean(x.rows((0..<20).filter { $0 != 7 }), y.rows((0..<20).filter { $0 != 7 }), ridge)
            #expect(all.largestMagnitude > without.largestMagnitude / 10, "\(all.elements) \(without.elements)")
        }
    }

    /// K* − K*K⁻¹K* that no rounding explains is an error; what float32 explains is none.
    @Test func negativeVariances() throws {
        let fit = try KernelRidgeRegression(inPlace: Matrix([[2.0, 0], [0, 2]]), targets: Matrix([[1.0], [2]]), options: RegressionOptions())
        #expect(throws: RegressionError.self) { try fit.variance(Matrix([[2.0, 0]]), diagonal: [0.5]) }
        #expect(throws: RegressionError.self) { try fit.covariance(Matrix([[2.0, 0]]), testTest: Matrix([[0.5]])) }
        #expect(throws: RegressionError.self) { try fit.variance(Matrix([[2.0, 0]]), diagonal: [2 - 1e-7]) }
        #expect(try fit.variance(Matrix([[2.0, 0]]), diagonal: [2 - 1e-7], rounding: RegressionOptions.float32Rounding) == [0])
        #expect(try fit.variance(Matrix([[2.0, 0]]), diagonal: [2 - 1e-15]) == [0])
    }

    /// Judged before the ridge is added, in any unit.
    @Test(arguments: [-400, -150, -90, -40, 0, 30, 63, 95, 150, 400])
    func indefiniteKernels(unit: Int) throws {
        func fit(_ kernel: [[Double]], _ ridge: Double, rounding: Double = RegressionOptions.float64Rounding) throws {
            var options = RegressionOptions(ridge: .fixed(ridge.scaled(by: unit)))
            options.judgesKernel = true
            options.entryRounding = rounding
            _ = try KernelRidgeRegression(
                inPlace: Matrix(kernel.map { $0.map { $0.scaled(by: unit) } }), targets: Matrix(kernel.indices.map { [Double($0) + 1] }),
                options: options)
        }
        func pair(_ off: Double) -> [[Double]] { [[1, off], [off, 1]] }
        for ridge in [0, 1e-3, 10] { #expect(throws: RegressionError.self, "\(ridge)") { try fit(pair(1.001), ridge) } }
        #expect(throws: RegressionError.self) { try fit(pair(1 + 1e-7), 1) }
        try fit(pair(1 + 1e-7), 1, rounding: RegressionOptions.float32Rounding)
        try fit(pair(1 + 1e-15), 1)
        // Singular, with a point of no variance.
        try fit([[1, -1, -1, 0], [-1, 1, 1, 0], [-1, 1, 1, 0], [0, 0, 0, 0]], 1)
        try fit([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]], 0x1p100)
    }
}
