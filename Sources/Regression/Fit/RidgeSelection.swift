internal import Glibc
internal import LinearAlgebra

/// The candidates for a ridge, and what each was worth.
public struct RidgeSelection: Sendable {
    public let criterion: RidgeCriterion
    public let candidates: [Double]
    /// The criterion of each candidate, the least of which is best (minus the log marginal likelihood for that); nil where K + λI is singular.
    public let values: [Double?]
    /// Index of the candidate that was taken.
    public let best: Int

    /// - Parameter scores: what is compared: the likelihoods, and the square roots of errors, which have more of the range of float64.
    init(_ criterion: RidgeCriterion, _ candidates: [Double], scores: [Double?]) throws(RegressionError) {
        var best: Int?
        for (index, score) in scores.enumerated() {
            guard let score else { continue }
            if let known = best, let least = scores[known], !(score < least) { continue }
            best = index
        }
        guard let best else { throw .everyCandidateSingular }
        values = scores.map { score in score.map { criterion == .marginalLikelihood ? $0 : $0 * $0 } }
        (self.criterion, self.candidates, self.best) = (criterion, candidates, best)
    }

    /// Says so if the best candidate is the least or the largest: beyond it may be a better one.
    var warning: String? {
        let taken = candidates[best]
        guard let least = candidates.min(), let largest = candidates.max(), least < largest else { return nil }
        if taken == largest { return "the best ridge, \(taken), is the largest candidate: a larger one may be better" }
        if taken == least, taken > 0 { return "the best ridge, \(taken), is the smallest candidate: a smaller one may be better" }
        return nil
    }

    /// What the criteria are functions of, beside the ridge.
    struct Problem {
        let groups: DuplicateGroups
        /// W^½ȳ.
        let reduced: Matrix<Double>
        /// y − S ȳ.
        let deviations: Matrix<Double>
        /// Those of both.
        let units: ColumnUnits

        init(_ groups: DuplicateGroups, _ targets: Matrix<Double>, _ units: ColumnUnits) {
            self.groups = groups
            self.units = units
            reduced = groups.reduce(targets)
            deviations = groups.deviations(targets)
        }

        /// Σ d² of each output.
        var across: [Double] {
            (0..<deviations.columns).map { output in
                (0..<deviations.rows).reduce(0) { $0 + deviations[$1, output] * deviations[$1, output] }
            }
        }

        /// The root of GCV, or minus the log marginal likelihood, which with a factor σ² on K + λI, of each output its own, is greatest for
        /// σ² = yᵀ(K + λI)⁻¹y / n: with that the choice does not depend on the units of the targets.
        /// - Parameters:
        ///   - roots: ‖(B + λI)⁻¹ W^½ȳ‖ of each output.
        ///   - fits: ȳᵀW^½ (B + λI)⁻¹ W^½ȳ of each output.
        ///   - trace, logDeterminant: of (B + λI)⁻¹, and of B + λI.
        func score(
            _ criterion: RidgeCriterion, ridge: Double, roots: [Double], fits: [Double], trace: Double, logDeterminant: Double
        ) -> Double? {
            let merged = Double(groups.mergedCount)
            let n = Double(groups.pointCount)
            switch criterion {
            case .generalizedCrossValidation, .leaveOneOut:
                // Both parts divided by λ², so that λ = 0 is no exception.
                let lengths = zip(zip(roots, across), units.exponents).map { part, unit in
                    hypot(part.0, merged > 0 ? part.1.squareRoot() / ridge : 0).scaled(by: unit)
                }
                let whole = trace + (merged > 0 ? merged / ridge : 0)
                return finite(n.squareRoot() * (ColumnUnits.length(of: lengths) / whole))
            case .marginalLikelihood:
                let determinant = logDeterminant + (merged > 0 ? merged * log(ridge) : 0)
                var value = 0.0
                for (fit, across) in zip(fits, across) {
                    let variance = (fit + (merged > 0 ? across / ridge : 0)) / n
                    // Targets of 0 are as likely as one likes with any ridge.
                    if variance > 0 { value += (n * (log(variance) + 1 + log(2 * .pi)) + determinant) / 2 }
                }
                return finite(value)
            }
        }

        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
    }

    /// Any criterion of every candidate from B = U Λ Uᵀ: the leave-one-out error n²(k + 1) operations each, the others n k.
    /// - Parameter unit: e of the kernel that was decomposed, which is that of the candidates times 4^(−e).
    static func spectral(
        _ criterion: RidgeCriterion, _ candidates: [Double], definite: DefiniteEigen, unit: Int, problem: Problem, on executor: any TileExecutor
    ) throws -> RidgeSelection {
        let order = definite.eigen.order
        let scaling = UnitScaling(uniform: unit, count: order)
        let targets = ScaledTargets(problem.reduced, scaling)
        let projected = try definite.eigen.project(targets.matrix, on: executor)
        let scores = try candidates.map { candidate -> Double? in
            let ridge = candidate.scaled(by: -2 * unit)
            let solver = SpectralSolver(definite, ridge: ridge)
            guard !solver.isSingular else { return nil }
            if criterion == .leaveOneOut {
                let coordinates = projected.copy()
                coordinates.scaleRows(solver.weights)
                let residuals = LeaveOneOut(
                    groups: problem.groups, deviations: problem.deviations, scaling: scaling, shifts: [Double](repeating: ridge, count: order)
                ).residuals(
                    try definite.eigen.combine(coordinates, on: executor), units: targets.exponents,
                    inverseDiagonal: try definite.eigen.weightedDiagonal(solver.weights, on: executor), nullSpace: nil)
                return problem.finite(problem.units.length(residuals) / Double(residuals.rows * residuals.columns).squareRoot())
            }
            guard candidate > 0 || problem.groups.mergedCount == 0 else { return nil }
            var (roots, fits) = ([Double](), [Double]())
            for output in 0..<projected.columns {
                let own = solver.weights.enumerated().map { projected[$0, output] * $1 }
                let fit = own.enumerated().reduce(0) { $0 + projected[$1.offset, output] * $1.element }
                // Of (B + λI)⁻¹ W^½ȳ, without the scalings.
                roots.append(ColumnUnits.length(of: own).scaled(by: targets.exponents[output] - unit))
                fits.append(fit.scaled(by: 2 * targets.exponents[output]))
            }
            return problem.score(
                criterion, ridge: candidate, roots: roots, fits: fits, trace: solver.weights.reduce(0, +).scaled(by: -2 * unit),
                logDeterminant: solver.logDeterminant + scaling.logDeterminant)
        }
        return try RidgeSelection(criterion, candidates, scores: scores)
    }

    /// GCV or minus the log marginal likelihood of every candidate from B = Q T Qᵀ: O(n k) each.
    static func tridiagonal(
        _ criterion: RidgeCriterion, _ candidates: [Double], form: Tridiagonal, norm: Double, problem: Problem
    ) throws -> RidgeSelection {
        let projected = form.project(problem.reduced)
        let outputs = (0..<projected.columns).map { output in (0..<projected.rows).map { projected[$0, output] } }
        let m = Double(problem.groups.groupCount)
        let scores = candidates.map { ridge -> Double? in
            guard ridge > 0 || problem.groups.mergedCount == 0, let factor = form.factor(ridge: ridge, tiniest: m * .ulpOfOne * (norm + ridge))
            else { return nil }
            let solutions = outputs.map { factor.solve($0) }
            return problem.score(
                criterion, ridge: ridge, roots: solutions.map { ColumnUnits.length(of: $0) },
                fits: zip(solutions, outputs).map { zip($0.0, $0.1).reduce(0) { $0 + $1.0 * $1.1 } }, trace: factor.inverseTrace,
                logDeterminant: factor.logDeterminant)
        }
        return try RidgeSelection(criterion, candidates, scores: scores)
    }
}

func logarithm(_ value: Double) -> Double { log(value) }
