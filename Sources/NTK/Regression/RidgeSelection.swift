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

    init(_ criterion: RidgeCriterion, _ candidates: [Double], _ values: [Double?]) throws(RegressionError) {
        var best: Int?
        for (index, value) in values.enumerated() {
            guard let value else { continue }
            if let known = best, let least = values[known], !(value < least) { continue }
            best = index
        }
        guard let best else { throw .everyCandidateSingular }
        (self.criterion, self.candidates, self.values, self.best) = (criterion, candidates, values, best)
    }

    /// Leave-one-out error of every candidate from B = U Λ Uᵀ: n²(k + 1) operations each.
    static func leaveOneOut(
        _ candidates: [Double], eigen: SymmetricEigen, groups: DuplicateGroups, targets: Matrix<Double>, on executor: any TileExecutor
    ) throws -> RidgeSelection {
        let reduced = groups.reduce(targets)
        let deviations = groups.deviations(targets, reduced: reduced)
        let projected = try eigen.project(reduced, on: executor)
        let values = try candidates.map { ridge -> Double? in
            let solver = SpectralSolver(eigen, ridge: ridge)
            guard !solver.isSingular else { return nil }
            let coordinates = projected.copy()
            coordinates.scaleRows(solver.weights)
            let residuals = LeaveOneOut.residuals(
                groups: groups, deviations: deviations, coefficients: try eigen.combine(coordinates, on: executor),
                inverseDiagonal: try eigen.weightedDiagonal(solver.weights, on: executor), ridge: ridge, nullSpace: nil)
            return Self.finite(residuals.sumOfSquares / Double(residuals.rows * residuals.columns))
        }
        return try RidgeSelection(.leaveOneOut, candidates, values)
    }

    /// GCV or minus the log marginal likelihood of every candidate from B = Q T Qᵀ: O(n k) each.
    static func tridiagonal(
        _ criterion: RidgeCriterion, _ candidates: [Double], form: Tridiagonal, norm: Double, groups: DuplicateGroups, targets: Matrix<Double>
    ) throws -> RidgeSelection {
        let reduced = groups.reduce(targets)
        let across = groups.deviations(targets, reduced: reduced).sumOfSquares
        let projected = form.project(reduced)
        let outputs = (0..<projected.columns).map { output in (0..<projected.rows).map { projected[$0, output] } }
        let (n, m, k) = (Double(groups.pointCount), Double(groups.groupCount), Double(targets.columns))
        let merged = n - m
        let values = candidates.map { ridge -> Double? in
            guard ridge > 0 || merged == 0, let factor = form.factor(ridge: ridge, tiniest: m * .ulpOfOne * (norm + ridge)) else { return nil }
            let solutions = outputs.map { factor.solve($0) }
            switch criterion {
            case .generalizedCrossValidation, .leaveOneOut:
                // Both parts divided by λ², so that λ = 0 is no exception.
                let squares = solutions.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } } + (merged > 0 ? across / ridge / ridge : 0)
                let trace = factor.inverseTrace + (merged > 0 ? merged / ridge : 0)
                return Self.finite(n * squares / (trace * trace) / k)
            case .marginalLikelihood:
                var fit = merged > 0 ? across / ridge : 0
                for (solution, output) in zip(solutions, outputs) { fit += zip(solution, output).reduce(0) { $0 + $1.0 * $1.1 } }
                let determinant = factor.logDeterminant + (merged > 0 ? merged * log(ridge) : 0)
                return Self.finite((fit + k * (determinant + n * log(2 * .pi))) / 2)
            }
        }
        return try RidgeSelection(criterion, candidates, values)
    }

    private static func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
}

func logarithm(_ value: Double) -> Double { log(value) }
