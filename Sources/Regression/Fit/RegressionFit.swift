internal import Glibc
internal import LinearAlgebra

/// The steps of a fit.
struct RegressionFit {
    private(set) var coefficients: ScaledCoefficients
    private(set) var diagnostics: Diagnostics
    private(set) var leaveOneOut: Matrix<Double>?
    private(set) var leverages: [Double]?
    private(set) var inverseDiagonal: [Double]?
    private(set) var solver: ScaledSolver
    /// √B_ii.
    let roots: [Double]

    /// Up to this order an inverse's diagonal is refined where the condition asks for it, which takes ten times as long as the fit.
    static let refinedUpTo = 512

    init(
        _ kernel: Matrix<Double>, _ groups: DuplicateGroups, _ given: Matrix<Double>, _ options: RegressionOptions,
        on executor: any TileExecutor
    ) throws {
        if groups.mergedCount > 0 { kernel.scaleRows(groups.roots, symmetric: true) }
        try KernelJudge.checkZeroRows(kernel)
        roots = kernel.diagonal.map { $0.squareRoot() }
        let units = ColumnUnits(given)
        let targets = units.taken(from: given)
        let problem = RidgeSelection.Problem(groups, targets, units)

        var selection: RidgeSelection?
        var ridge = 0.0
        if case .select(let criterion, let candidates) = options.ridge {
            let chosen = try Self.select(criterion, candidates, kernel, problem, options, on: executor)
            ridge = chosen.candidates[chosen.best]
            selection = chosen
        } else if case .fixed(let value) = options.ridge {
            ridge = value
        }
        if options.judgesKernel, ridge > 0 { try KernelJudge.check(kernel, noise: options.noise(kernel.rows), on: executor) }

        let system = try RegressionSystem(kernel, ridge: ridge, on: executor)
        let solution = try system.solve(problem.reduced, options, on: executor)
        guard solution.coefficients.isFinite else { throw RegressionError.overflow }
        solver = solution.solver
        coefficients = ScaledCoefficients(
            solution.coefficients, rows: solver.scaling.exponents.map { -$0 },
            columns: zip(solution.targets.exponents, units.exponents).map { $0 + $1 },
            roots: groups.mergedCount > 0 ? groups.roots : nil)
        diagnostics = Diagnostics(
            method: solution.method, ridge: ridge, relativeResidual: solution.relativeResidual, duplicatesMerged: groups.mergedCount)
        diagnostics.selection = selection
        if let warning = selection?.warning { diagnostics.warnings.append(warning) }
        diagnostics.rank = solution.rank
        diagnostics.reciprocalCondition = solution.reciprocalCondition
        diagnostics.conflictingDuplicates = groups.conflicts(targets)
        diagnostics.jitter = solution.jitter
        try complete(solution, problem, targets, added: ridge + solution.jitter, options, on: executor)
    }

    /// What the solution tells, and if it is wanted what the inverse's diagonal tells.
    private mutating func complete(
        _ solution: Solution, _ problem: RidgeSelection.Problem, _ targets: Matrix<Double>, added: Double, _ options: RegressionOptions,
        on executor: any TileExecutor
    ) throws {
        let (groups, deviations, beta, units) = (problem.groups, problem.deviations, solution.coefficients, problem.units)
        var nullSpace: (diagonal: [Double], component: Matrix<Double>)?
        if case .spectral(let spectral) = solver.solver, spectral.isSingular {
            nullSpace = try spectral.nullSpace(solution.targets.matrix, on: executor)
        }
        diagnostics.rkhsNorm = try norm(solution, units, on: executor)

        let total = units.length(targets)
        if total > 0, nullSpace != nil || diagnostics.ridge == 0 {
            var missed = units.length(deviations)
            if let component = nullSpace?.component {
                let scale = solver.scaling.exponents.first ?? 0
                let own = ColumnUnits(exponents: zip(solution.targets.exponents, units.exponents).map { $0 + $1 + scale }).length(component)
                missed = hypot(missed, own)
            }
            diagnostics.unreachableTargets = min(missed / total, 1)
        }

        let (n, merged) = (Double(groups.pointCount), Double(groups.mergedCount))
        if added > 0 || merged == 0 || nullSpace != nil {
            let across = problem.across
            let fits = (0..<beta.columns).map { column in
                solution.sum(column) { $1 * $2 }.scaled(by: 2 * solution.targets.exponents[column])
                    + (merged > 0 && added > 0 ? across[column] / added : 0)
            }
            // Of a singular system over what the kernel reaches.
            let degrees = nullSpace == nil ? n : Double(max(solution.rank, 1))
            diagnostics.signalVariances = zip(fits, units.exponents).map { (max($0, 0) / degrees).scaled(by: 2 * $1) }
            if let logDeterminant = solution.logDeterminant, nullSpace == nil {
                let determinant = logDeterminant + (merged > 0 ? merged * logarithm(added) : 0)
                let fit = zip(fits, units.exponents).reduce(0) { $0 + $1.0.scaled(by: 2 * $1.1) }
                diagnostics.logMarginalLikelihood = -(fit + Double(beta.columns) * (determinant + n * logarithm(2 * .pi))) / 2
            }
        }

        let isCheap = groups.groupCount <= RegressionOptions.completeUpTo || nullSpace != nil || options.ridge.isLeaveOneOut
        guard options.isComplete ?? isCheap, solution.method != .mixedPrecision else { return }
        let inverseDiagonal = try inverseDiagonal(solution, on: executor)
        let residuals = LeaveOneOut(groups: groups, deviations: deviations, scaling: solver.scaling, shifts: solution.shifts)
            .residuals(beta, units: solution.targets.exponents, inverseDiagonal: inverseDiagonal, nullSpace: nullSpace)
        let length = units.length(residuals)
        diagnostics.leaveOneOutError = length * (length / Double(residuals.rows * residuals.columns))
        leaveOneOut = units.given(to: residuals)
        let shares = zip(solution.shifts, inverseDiagonal).map { $0 * $1 }
        leverages = zip(nullSpace?.diagonal ?? shares, groups.multiplicities).map { (1 - $0) / $1 }
        if nullSpace == nil {
            self.inverseDiagonal = zip(inverseDiagonal, solver.scaling.exponents).map { $0.scaled(by: -2 * $1) }
        }
        let unused = shares.reduce(0, +)
        let dimension = Double(solution.rank) - unused
        // What is left of a difference has lost digits: two of them are let go, where it would take long six.
        let digits = groups.groupCount <= Self.refinedUpTo ? 1e-2 : 1e-6
        if dimension < digits * Double(solution.rank), let refinement = solution.refinement {
            diagnostics.effectiveDimension = try refinement.effectiveDimension(solver.solver, on: executor)
        } else {
            diagnostics.effectiveDimension = max(dimension, 0)
        }
    }

    /// ‖f‖ = √(Σ βᵀBβ). βᵀBβ = βᵀ(ỹ − λβ), as Bβ = ỹ − λβ in the modes that β has; where that is a difference of equals, as it stands.
    private func norm(_ solution: Solution, _ units: ColumnUnits, on executor: any TileExecutor) throws -> Double {
        let energies = try (0..<solution.coefficients.columns).map { column in
            var energy = solution.sum(column) { row, beta, target in beta * (target - solution.shifts[row] * beta) }
            let fit = solution.sum(column) { _, beta, target in abs(beta * target) }
            if energy < 1e-6 * fit, let refinement = solution.refinement {
                energy = try refinement.energy(solution.coefficients, column, on: executor)
            }
            return energy
        }
        return KernelRidgeRegression.length(energies, units: zip(solution.targets.exponents, units.exponents).map { $0 + $1 })
    }

    private func inverseDiagonal(_ solution: Solution, on executor: any TileExecutor) throws -> [Double] {
        if let refinement = solution.refinement, solution.reciprocalCondition < 1e-5, solution.coefficients.rows <= Self.refinedUpTo {
            let refined = try refinement.inverseDiagonal(solver.solver, passes: solution.reciprocalCondition < 1e-9 ? 2 : 1, on: executor)
            if refined.allSatisfy({ $0 > 0 }) { return refined }
        }
        return try solver.solver.inverseDiagonal(on: executor)
    }

    private static func select(
        _ criterion: RidgeCriterion, _ candidates: [Double], _ kernel: Matrix<Double>, _ problem: RidgeSelection.Problem,
        _ options: RegressionOptions, on executor: any TileExecutor
    ) throws -> RidgeSelection {
        let diagonal = kernel.diagonal
        let grading = UnitScaling.grading(diagonal)
        if criterion != .leaveOneOut, grading <= 8 {
            let norm = try kernel.symmetricOneNorm(on: executor)
            guard norm.isFinite else { throw RegressionError.kernelOverflow }
            return try .tridiagonal(criterion, candidates, form: Tridiagonal(inPlace: kernel.copy()), norm: norm, problem: problem)
        }
        let uniform = UnitScaling.tame(diagonal)
        let copy = kernel.copy()
        _ = try uniform.apply(to: copy, on: executor)
        let definite = try KernelJudge.eigen(inPlace: copy, noise: options.noise(kernel.rows), on: executor)
        return try .spectral(
            criterion, candidates, definite: definite, unit: uniform.exponents.first ?? 0, problem: problem, on: executor)
    }
}

extension Ridge {
    var isLeaveOneOut: Bool { if case .select(.leaveOneOut, _) = self { true } else { false } }
}
