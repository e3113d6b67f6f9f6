import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Duplicates and singular kernels: against the same regression without merging, and against limits.
struct SingularSystemTests {
    struct Data {
        let x: Matrix<Double>
        let y: Matrix<Double>
        let test = Matrix.random(5, 3, seed: 3)
        let kernel: AnalyticKernel

        /// Points 0 … 11, of which some again and again, with other targets.
        init() throws {
            let base = Matrix.random(12, 3, seed: 1)
            x = base.rows([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 3, 3, 7, 0])
            y = Matrix.random(16, 2, seed: 2)
            kernel = try AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.2), features: 3)
        }

        func gram(_ x1: Matrix<Double>, _ x2: Matrix<Double>? = nil) throws -> Matrix<Double> {
            try #require(kernel.matrices(x1, x2, kinds: [.ntk], as: Double.self).ntk)
        }

        func fit(merged: Bool, _ options: RegressionOptions) throws -> KernelRidgeRegression {
            let groups = merged ? DuplicateGroups(equalRowsOf: x) : DuplicateGroups(distinct: x.rows)
            return try KernelRidgeRegression(inPlace: gram(x.rows(groups.representatives)), groups: groups, targets: y, options: options)
        }
    }

    @Test func groups() {
        let groups = DuplicateGroups(equalRowsOf: Matrix([[1.0, 0], [2, 0], [1, -0.0], [.nan, 1], [2, 0], [.nan, 1]]))
        #expect(groups.representatives == [0, 1, 3] && groups.group == [0, 1, 0, 2, 1, 2] && groups.multiplicities == [2, 2, 2])
    }

    @Test(arguments: [1e-1, 1e-4])
    func mergingChangesNothing(ridge: Double) throws {
        let data = try Data()
        let options = RegressionOptions(ridge: .fixed(ridge))
        let (merged, plain) = (try data.fit(merged: true, options), try data.fit(merged: false, options))
        let distinct = data.x.rows(merged.groups.representatives)
        let (own, full) = (try data.gram(data.test, distinct), try data.gram(data.test, data.x))
        #expect(try merged.mean(own).subtracting(plain.mean(full)).elements.allSatisfy { abs($0) < 1e-11 })
        let prior = try data.gram(data.test)
        #expect(
            try merged.covariance(own, testTest: prior).subtracting(plain.covariance(full, testTest: prior)).elements
                .allSatisfy { abs($0) < 1e-11 })
        let (one, other) = (merged.diagnostics, plain.diagnostics)
        #expect(one.duplicatesMerged == 4 && one.conflictingDuplicates == 3 && other.duplicatesMerged == 0)
        for (value, expected) in [
            (one.leaveOneOutError, other.leaveOneOutError), (one.logMarginalLikelihood, other.logMarginalLikelihood),
            (one.rkhsNorm, other.rkhsNorm), (one.effectiveDimension, other.effectiveDimension),
        ] {
            // What is not merged loses digits by its condition, about 100/ridge.
            #expect(try abs(#require(value) / #require(expected) - 1) < 1e-10 + 1e-12 / ridge)
        }
        for criterion in RidgeCriterion.allCases {
            let select = RegressionOptions(ridge: .select(criterion, candidates: [1, ridge]))
            let (one, other) = (try data.fit(merged: true, select), try data.fit(merged: false, select))
            for index in 0..<2 {
                let (value, expected) = (one.diagnostics.selection?.values[index], other.diagnostics.selection?.values[index])
                #expect(try abs(#require(value ?? nil) / #require(expected ?? nil) - 1) < 1e-9, "\(criterion)")
            }
        }
    }

    /// Without a ridge: the mean of conflicting targets, and the limit of leave-one-out as the ridge goes to 0.
    @Test func duplicatesWithoutARidge() throws {
        let data = try Data()
        let fit = try data.fit(merged: true, RegressionOptions(ridge: .fixed(0)))
        #expect(fit.diagnostics.method == .cholesky && fit.diagnostics.logMarginalLikelihood == nil && fit.diagnostics.unreachableTargets > 0)
        let fitted = try fit.mean(data.gram(data.x, data.x.rows(fit.groups.representatives)))
        let mean = (data.y[3, 0] + data.y[12, 0] + data.y[13, 0]) / 3
        #expect(abs(fitted[3, 0] - mean) < 1e-10 && abs(fitted[12, 0] - mean) < 1e-10 && abs(fitted[1, 1] - data.y[1, 1]) < 1e-10)
        let limit = try data.fit(merged: true, RegressionOptions(ridge: .fixed(1e-9)))
        #expect(try abs(#require(fit.diagnostics.leaveOneOutError) / #require(limit.diagnostics.leaveOneOutError) - 1) < 1e-6)
        let residuals = try #require(fit.leaveOneOutResiduals)
        #expect(abs(residuals[3, 0] - (data.y[3, 0] - (data.y[12, 0] + data.y[13, 0]) / 2)) < 1e-10)
    }

    /// A linear kernel of 3 features over 10 points: rank 3, least squares.
    @Test func rankDeficientKernelsGiveTheLeastSolution() throws {
        let x = Matrix.random(10, 3, seed: 5)
        let y = Matrix.random(10, 2, seed: 6)
        let kernel = try x.multiplyTransposed(x, on: SerialTiles())
        kernel.mirrorUpperHalf()
        let fit = try KernelRidgeRegression(inPlace: kernel.copy(), targets: y, options: RegressionOptions())
        #expect(fit.diagnostics.method == .minimumNorm && fit.diagnostics.rank == 3 && fit.diagnostics.jitter == 0)
        #expect(fit.diagnostics.relativeResidual < 1e-14 && fit.diagnostics.unreachableTargets > 0.1)
        // The normal equations XᵀX w = Xᵀy.
        let normal = try Cholesky(inPlace: x.transposedMultiply(x, on: SerialTiles()), on: SerialTiles())
        let weights = try normal.solve(x.transposedMultiply(y, on: SerialTiles()), on: SerialTiles())
        let test = Matrix.random(4, 3, seed: 7)
        let expected = try test.multiply(weights, on: SerialTiles())
        #expect(try fit.mean(test.multiplyTransposed(x, on: SerialTiles())).subtracting(expected).elements.allSatisfy { abs($0) < 1e-12 })
        // Leave-one-out of least squares by refits.
        let residuals = try #require(fit.leaveOneOutResiduals)
        for left in 0..<10 {
            let rest = (0..<10).filter { $0 != left }
            let (xr, yr) = (x.rows(rest), y.rows(rest))
            let w = try Cholesky(inPlace: xr.transposedMultiply(xr, on: SerialTiles()), on: SerialTiles())
                .solve(xr.transposedMultiply(yr, on: SerialTiles()), on: SerialTiles())
            let predicted = try x.rows([left]).multiply(w, on: SerialTiles())
            for output in 0..<2 { #expect(abs(residuals[left, output] - (y[left, output] - predicted[0, output])) < 1e-9) }
        }
    }

    @Test func policies() throws {
        let x = Matrix.random(10, 3, seed: 5)
        let kernel = try x.multiplyTransposed(x, on: SerialTiles())
        kernel.mirrorUpperHalf()
        let y = Matrix.random(10, 1, seed: 6)
        func fit(_ policy: SingularPolicy, _ ridge: Double = 0) throws -> Diagnostics {
            try KernelRidgeRegression(inPlace: kernel.copy(), targets: y, options: RegressionOptions(ridge: .fixed(ridge), onSingular: policy))
                .diagnostics
        }
        #expect(throws: RegressionError.self) { try fit(.refuse) }
        #expect(throws: RegressionError.self) { try fit(.refuse, 1e-300) }
        let jittered = try fit(.jitter)
        #expect(jittered.method == .cholesky && jittered.jitter > 0 && jittered.jitter < 1e-10 && jittered.ridge == 0)
        #expect(try fit(.jitter, 0.1).jitter == 0)
        #expect(try fit(.minimumNorm, 1e-300).rank == 3)
        #expect(try fit(.minimumNorm, 1e300).rank == 10)
    }

    @Test func extremes() throws {
        func fit(_ kernel: [[Double]], _ y: [[Double]], _ ridge: Double) throws -> KernelRidgeRegression {
            try KernelRidgeRegression(inPlace: Matrix(kernel), targets: Matrix(y), options: RegressionOptions(ridge: .fixed(ridge)))
        }
        let zero = try fit([[0, 0], [0, 0]], [[1], [2]], 0)
        #expect(zero.coefficients.elements == [0, 0] && zero.diagnostics.rank == 0 && zero.diagnostics.unreachableTargets == 1)
        #expect(try fit([[1e-300]], [[1e-10]], 0).coefficients[0, 0].isFinite)
        // The coefficient is 10⁶⁰⁰, what it predicts is not.
        #expect(try abs(fit([[1e-300]], [[1e300]], 0).mean(Matrix([[1e-300], [2e-300]]))[1, 0] / 2e300 - 1) < 1e-14)
        #expect(try abs(fit([[4]], [[6]], 1e300).coefficients[0, 0] / 6e-300 - 1) < 1e-12)
        // Sums of rows are beyond float64; α = (−1, 4)/2.5·10³⁰⁸.
        let large = try fit([[1.5e308, 1e308], [1e308, 1.5e308]], [[1], [2]], 0)
        #expect(try abs(large.mean(Matrix([[0, 1e308], [1e308, 0]]))[0, 0] - 1.6) < 1e-14)
        #expect(try abs(large.mean(Matrix([[0, 1e308], [1e308, 0]]))[1, 0] + 0.4) < 1e-14)
        #expect(throws: RegressionError.self) { try fit([[1, 2], [2, 1]], [[1], [2]], 0) }
        #expect(throws: RegressionError.everyCandidateSingular) {
            try KernelRidgeRegression(
                inPlace: Matrix([[1.0, 1], [1, 1]]), targets: Matrix([[1.0], [2]]),
                options: RegressionOptions(ridge: .select(.marginalLikelihood, candidates: [0, 1e-30])))
        }
        // Constant targets, zero targets.
        #expect(try fit([[2, 1], [1, 2]], [[0], [0]], 0).coefficients.elements == [0, 0])
        #expect(try fit([[2, 1], [1, 2]], [[3], [3]], 0).diagnostics.relativeResidual < 1e-15)
    }

    @Test func halfThePrecisionIsRefinedToTheSame() throws {
        let n = 1_100
        let x = Matrix.random(n, 5, seed: 21)
        let y = Matrix.random(n, 2, seed: 22)
        let kernel = try #require(
            AnalyticKernel(.mlp(depth: 2, weightStd: 1.3, biasStd: 0.2), features: 5).matrices(x, kinds: [.ntk], as: Double.self).ntk)
        func fit(_ options: RegressionOptions) throws -> KernelRidgeRegression {
            try KernelRidgeRegression(inPlace: kernel.copy(), targets: y, options: options)
        }
        let mixed = try fit(RegressionOptions(ridge: .fixed(0.1), isComplete: false, needsFactor: false))
        let full = try fit(RegressionOptions(ridge: .fixed(0.1), isComplete: false))
        #expect(mixed.diagnostics.method == .mixedPrecision && full.diagnostics.method == .cholesky)
        #expect(mixed.diagnostics.relativeResidual < 1e-15)
        let scale = full.coefficients.elements.reduce(0) { max($0, abs($1)) }
        #expect(mixed.coefficients.subtracting(full.coefficients).elements.allSatisfy { abs($0) < 1e-13 * scale })
    }

    /// What a point of no variance says is out of reach, and leaves no rounding in what the others say, however large it is.
    @Test(arguments: [1.0, 1e9, 1e55, 1e250])
    func pointsOfNoVarianceSayNothing(target: Double) throws {
        for kernel in [Matrix([[0.0, 0, 0], [0, 1, -4], [0, -4, 16]]), Matrix([[0.0, 0, 0], [0, 1, -3], [0, -3, 16]])] {
            let fit = try KernelRidgeRegression(
                inPlace: kernel.copy(), targets: Matrix([[target], [-1.0214688921046755], [1.2018575724234686]]), options: RegressionOptions())
            let plain = try KernelRidgeRegression(
                inPlace: kernel.rows([1, 2]).columns([1, 2]), targets: Matrix([[-1.0214688921046755], [1.2018575724234686]]),
                options: RegressionOptions())
            let (own, right) = (try fit.mean(Matrix([[0.0, 1.5, -6]])), try plain.mean(Matrix([[1.5, -6.0]])))
            #expect(abs(own[0, 0] - right[0, 0]) <= 1e-14 * abs(right[0, 0]), "\(own[0, 0]) \(right[0, 0])")
        }
    }
}
