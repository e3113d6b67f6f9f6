internal import Glibc
public import LinearAlgebra

extension KernelRidgeRegression {
    /// How a system that is too large for a factor is solved.
    public struct IterativeOptions: Sendable {
        public var ridge: Double
        /// ‖y − (K + λI)α‖ / ‖y‖ at which it ends.
        public var tolerance = 1e-8
        public var mostIterations = 1_000
        /// Columns of the preconditioner; nil for one that fits the size.
        public var preconditionerRank: Int?

        public init(ridge: Double) { self.ridge = ridge }
    }

    /// Columns that take a fraction of the kernel's memory and of a product's time, and more than halve the iterations.
    public static func standardPreconditionerRank(_ order: Int) -> Int { min(max(100, 8 * Int(Double(order).squareRoot())), 2_000) }

    /// Fits by conjugate gradients, preconditioned by randomly pivoted Cholesky: O(n²) for each of the iterations, which the diagnostics
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
        let ridge = options.ridge
        let (roots, isWeighted) = (groups.roots, groups.mergedCount > 0)
        /// W^½ K W^½ V + λV.
        func system(_ vectors: Matrix<Double>, _ product: (Matrix<Double>) throws -> Matrix<Double>) throws -> Matrix<Double> {
            var own = vectors
            if isWeighted {
                own = vectors.copy()
                own.scaleRows(roots)
            }
            let image = try product(own)
            if isWeighted { image.scaleRows(roots) }
            image.add(vectors, scaled: [Double](repeating: ridge, count: vectors.columns))
            return image
        }
        let reduced = groups.reduce(targets)
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
        let shift = max(ridge, approximation.residualTrace / Double(n) * 1e-3, tiles.diagonal.reduce(0, +) / Double(n) * 1e-12)
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
        let product = exact ?? { try tiles.multiply($0, on: executor) }
        let solution = try solve(reduced, inner)
        let norms = ConjugateGradient.dots(reduced, reduced).map { $0.squareRoot() }
        var rest = reduced.subtracting(try system(solution, product))
        func ratio() -> Double {
            zip(ConjugateGradient.dots(rest, rest), norms).reduce(0) { max($0, $1.1 > 0 ? $1.0.squareRoot() / $1.1 : 0) }
        }
        var reached = ratio()
        while reached > options.tolerance, iterations < options.mostIterations {
            // Not further than what is still missing, with a margin.
            let correction = try solve(rest, min(max(options.tolerance / reached / 5, 1e-5), 0.5))
            let better = solution.adding(correction)
            let after = reduced.subtracting(try system(better, product))
            let before = reached
            rest = after
            reached = ratio()
            guard reached < before / 2 else { break }
            solution.assignElements(better)
        }
        guard reached <= options.tolerance else { throw RegressionError.noConvergence(iterations: iterations, residual: reached) }
        var diagnostics = Diagnostics(method: .conjugateGradient, ridge: ridge, relativeResidual: reached, duplicatesMerged: groups.mergedCount)
        diagnostics.conflictingDuplicates = groups.conflicts(targets)
        diagnostics.iterations = iterations
        diagnostics.preconditionerRank = approximation.rank
        let norm = zip(solution.elements, reduced.elements).reduce(0) { $0 + $1.0 * ($1.1 - ridge * $1.0) }
        diagnostics.rkhsNorm = max(norm, 0).squareRoot()
        if isWeighted { solution.scaleRows(roots) }
        self.init(coefficients: solution, groups: groups, diagnostics: diagnostics)
    }
}
