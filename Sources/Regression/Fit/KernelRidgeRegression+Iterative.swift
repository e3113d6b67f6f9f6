internal import Glibc
public import LinearAlgebra

extension KernelRidgeRegression {
    /// How a system that is too large for a factor is solved.
    public struct IterativeOptions: Sendable {
        public var ridge: Double
        /// ‖D(y − (K + λI)α)‖₂ / ‖D y‖₂ at which it ends, with the scaling D to unit diagonal.
        public var tolerance = 1e-8
        public var mostIterations = 1_000
        /// Columns of the preconditioner; nil for one that fits the size.
        public var preconditionerRank: Int?

        public init(ridge: Double) { self.ridge = ridge }
    }

    /// Columns that take a fraction of the kernel's memory and of a product's time, and more than halve the iterations.
    public static func standardPreconditionerRank(_ order: Int) -> Int { min(max(100, 8 * Int(Double(order).squareRoot())), 2_000) }

    /// Fits by conjugate gradients on the system scaled to unit diagonal, preconditioned by randomly pivoted Cholesky: O(n²) for each of the iterations, which the diagnostics
    /// count. The kernel's tiles are rounded to float32, so that what is solved is a kernel within 2⁻²⁴ of the true one; `exact` brings the
    /// solution to that: it multiplies by tiles that are computed anew in float64, for residuals of iterative refinement.
    ///
    /// There is no factor: no covariance, likelihood, rank or leave-one-out. Where the executor keeps blocks, the iteration's state is kept.
    /// - Parameter exact: K V in float64; nil to be content with the tiles.
    /// - Throws: `RegressionError.noConvergence` if the residual is not reached.
    public init(
        packed tiles: PackedKernel, groups: DuplicateGroups? = nil, targets: Matrix<Double>, options: IterativeOptions,
        on executor: any TileExecutor = ConcurrentTiles(), exact: ((Matrix<Double>) throws -> Matrix<Double>)? = nil
    ) throws {
        let groups = groups ?? DuplicateGroups(distinct: tiles.order)
        let n = tiles.order
        let (ridge, scaling) = (options.ridge, tiles.scaling)
        let shifts = scaling.exponents.map { ridge.scaled(by: -2 * $0) }
        let (roots, isWeighted) = (groups.roots, groups.mergedCount > 0)
        /// W^½ K W^½ V of the scaled kernel.
        func weighted(_ vectors: Matrix<Double>, _ product: (Matrix<Double>) throws -> Matrix<Double>) throws -> Matrix<Double> {
            var own = vectors
            if isWeighted {
                own = vectors.copy()
                own.scaleRows(roots)
            }
            let image = try product(own)
            if isWeighted { image.scaleRows(roots) }
            return image
        }
        /// The same and λ D² V.
        func system(_ vectors: Matrix<Double>, _ product: (Matrix<Double>) throws -> Matrix<Double>) throws -> Matrix<Double> {
            let image = try weighted(vectors, product)
            let added = vectors.copy()
            added.scaleRows(shifts)
            image.add(added, scaled: [Double](repeating: 1, count: vectors.columns))
            return image
        }
        let reduced = ScaledTargets(groups.reduce(targets), scaling)
        let right = reduced.matrix
        let rank = options.preconditionerRank ?? Self.standardPreconditionerRank(n)
        let approximation = try RandomlyPivotedCholesky(
            diagonal: zip(tiles.diagonal, groups.multiplicities).map { $0 * $1 }, rank: rank, on: executor
        ) { indices in
            let columns = try tiles.columns(indices, on: executor)
            if isWeighted {
                columns.scaleRows(roots)
                columns.scaleColumns(indices.map { roots[$0] })
            }
            return columns
        }
        // With next to no ridge the preconditioner is shifted by what it leaves of the kernel.
        let shift = max(
            shifts.min() ?? 0, approximation.residualTrace / Double(n) * 1e-3, tiles.diagonal.reduce(0, +) / Double(n) * 1e-12)
        // Of a kernel of zeros without a ridge there is nothing to invert.
        let inverse = try LowRankInverse(approximation.factor, shift: shift > 0 ? shift : 1, on: executor)
        var iterations = 0
        func solve(_ right: Matrix<Double>, _ tolerance: Double) throws -> Matrix<Double> {
            let run = try ConjugateGradient(
                right, tolerance: tolerance, mostIterations: options.mostIterations - iterations, keeper: executor.keeper,
                precondition: { try inverse.apply($0, on: executor) },
                multiply: { try system($0) { try tiles.multiply($0, on: executor) } })
            iterations += run.iterations
            guard run.solution.isFinite else { throw RegressionError.overflow }
            return run.solution
        }
        // Products in float32 leave a residual of about 2⁻²⁴: the inner solutions go no further.
        let inner = max(options.tolerance, 1e-5)
        let product: (Matrix<Double>) throws -> Matrix<Double> = { vectors in
            guard let exact else { return try tiles.multiply(vectors, on: executor) }
            return scaling.scaledRows(try exact(scaling.scaledRows(vectors)))
        }
        let solution = try solve(right, inner)
        let norms = ConjugateGradient.dots(right, right).map { $0.squareRoot() }
        var rest = right.subtracting(try system(solution, product))
        func ratio() -> Double {
            zip(ConjugateGradient.dots(rest, rest), norms).reduce(0) { max($0, $1.1 > 0 ? $1.0.squareRoot() / $1.1 : 0) }
        }
        var reached = ratio()
        while reached > options.tolerance, iterations < options.mostIterations {
            // Not further than what is still missing, with a margin.
            let correction = try solve(rest, min(max(options.tolerance / reached / 5, 1e-5), 0.5))
            let better = solution.adding(correction)
            let after = right.subtracting(try system(better, product))
            let before = reached
            let last = rest
            rest = after
            reached = ratio()
            guard reached < before / 2 else {
                // What was is better.
                if reached >= before { (rest, reached) = (last, before) } else { solution.assignElements(better) }
                break
            }
            solution.assignElements(better)
        }
        guard reached <= options.tolerance else { throw RegressionError.noConvergence(iterations: iterations, residual: reached) }
        let norm = try tiles.oneNorm(weights: roots, shifts: shifts, on: executor)
        let backward = Refinement(matrix: right, diagonal: [], shifts: [], norm: norm).backwardError(rest, solution, right)
        var diagnostics = Diagnostics(method: .conjugateGradient, ridge: ridge, relativeResidual: backward, duplicatesMerged: groups.mergedCount)
        diagnostics.conflictingDuplicates = groups.conflicts(targets)
        diagnostics.iterations = iterations
        diagnostics.preconditionerRank = approximation.rank
        // βᵀKβ = βᵀ(ỹ − r − λβ), and where that is a difference of equals, as it stands.
        var image: Matrix<Double>?
        let energies = try (0..<solution.columns).map { column in
            var (energy, fit) = (0.0, 0.0)
            for row in 0..<n {
                let beta = solution[row, column]
                energy += beta * (right[row, column] - rest[row, column] - shifts[row] * beta)
                fit += abs(beta * right[row, column])
            }
            guard energy < 1e-6 * fit else { return energy }
            let own = try image ?? weighted(solution) { try tiles.multiply($0, on: executor) }
            image = own
            return (0..<n).reduce(0) { $0 + solution[$1, column] * own[$1, column] }
        }
        diagnostics.rkhsNorm = Self.length(energies, units: reduced.exponents)
        let coefficients = ScaledCoefficients(
            solution, rows: scaling.exponents.map { -$0 }, columns: reduced.exponents, roots: isWeighted ? roots : nil)
        self.init(coefficients: coefficients, groups: groups, diagnostics: diagnostics)
    }
}
