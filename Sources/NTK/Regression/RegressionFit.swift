internal import LinearAlgebra

/// The steps of a fit.
struct RegressionFit {
    private(set) var coefficients: Matrix<Double>
    private(set) var diagnostics: Diagnostics
    private(set) var leaveOneOut: Matrix<Double>?
    private(set) var solver: SystemSolver

    init(
        _ kernel: Matrix<Double>, _ groups: DuplicateGroups, _ targets: Matrix<Double>, _ options: RegressionOptions,
        on executor: any TileExecutor
    ) throws {
        if groups.mergedCount > 0 { kernel.scaleRows(groups.roots, symmetric: true) }
        let system = try RegressionSystem(kernel, on: executor)
        let reduced = groups.reduce(targets)

        var selection: RidgeSelection?
        var eigen: SymmetricEigen?
        var ridge = 0.0
        switch options.ridge {
        case .fixed(let value): ridge = value
        case .select(.leaveOneOut, let candidates):
            let decomposition = try SymmetricEigen(inPlace: kernel.copy(), on: executor)
            try RegressionSystem.checkDefinite(decomposition)
            selection = try .leaveOneOut(candidates, eigen: decomposition, groups: groups, targets: targets, on: executor)
            eigen = decomposition
        case .select(let criterion, let candidates):
            selection = try .tridiagonal(
                criterion, candidates, form: Tridiagonal(inPlace: kernel.copy()), norm: system.norm, groups: groups, targets: targets)
        }
        if let selection { ridge = selection.candidates[selection.best] }

        let solution = try system.solve(reduced, ridge: ridge, eigen: eigen, options, on: executor)
        let beta = solution.coefficients
        guard beta.isFinite else { throw RegressionError.overflow }
        solver = solution.solver
        coefficients = beta
        if groups.mergedCount > 0 {
            let scaled = beta.copy()
            scaled.scaleRows(groups.roots)
            coefficients = scaled
        }
        diagnostics = Diagnostics(
            method: solution.method, ridge: ridge, relativeResidual: solution.relativeResidual, duplicatesMerged: groups.mergedCount)
        diagnostics.selection = selection
        diagnostics.rank = solution.rank
        diagnostics.reciprocalCondition = solution.reciprocalCondition
        diagnostics.conflictingDuplicates = groups.conflicts(targets)
        diagnostics.jitter = solution.jitter

        // From here on the diagonal's addition is one number.
        let added = ridge + solution.jitter
        let deviations = groups.deviations(targets, reduced: reduced)
        var norm = 0.0
        var fit = 0.0
        for (beta, target) in zip(beta.elements, reduced.elements) {
            // βᵀBβ = βᵀ(ỹ − λβ), as Bβ = ỹ − λβ in the modes that β has.
            norm += beta * (target - added * beta)
            fit += beta * target
        }
        diagnostics.rkhsNorm = max(norm, 0).squareRoot()
        var nullSpace: (diagonal: [Double], component: Matrix<Double>)?
        if case .spectral(let spectral) = solver, spectral.isSingular { nullSpace = try spectral.nullSpace(reduced, on: executor) }
        let total = targets.sumOfSquares
        if total > 0, nullSpace != nil || ridge == 0 {
            diagnostics.unreachableTargets = (((nullSpace?.component.sumOfSquares ?? 0) + deviations.sumOfSquares) / total).squareRoot()
        }
        if let logDeterminant = solution.logDeterminant, nullSpace == nil, added > 0 || groups.mergedCount == 0 {
            let (n, k, merged) = (Double(groups.pointCount), Double(targets.columns), Double(groups.mergedCount))
            let determinant = logDeterminant + (merged > 0 ? merged * logarithm(added) : 0)
            let across = merged > 0 ? deviations.sumOfSquares / added : 0
            diagnostics.logMarginalLikelihood = -(fit + across + k * (determinant + n * logarithm(2 * .pi))) / 2
        }
        let isCheap = if case .spectral = solver { true } else { groups.groupCount <= RegressionOptions.completeUpTo }
        guard options.isComplete ?? isCheap, solution.method != .mixedPrecision else { return }
        let inverseDiagonal = try solver.inverseDiagonal(on: executor)
        let residuals = LeaveOneOut.residuals(
            groups: groups, deviations: deviations, coefficients: beta, inverseDiagonal: inverseDiagonal, ridge: added, nullSpace: nullSpace)
        leaveOneOut = residuals
        diagnostics.leaveOneOutError = residuals.sumOfSquares / Double(residuals.rows * residuals.columns)
        diagnostics.effectiveDimension = Double(solution.rank) - added * inverseDiagonal.reduce(0, +)
    }
}
