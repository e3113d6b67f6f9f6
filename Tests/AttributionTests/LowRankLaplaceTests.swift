import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

/// The posterior of some directions against that of all.
struct LowRankLaplaceTests {
    private func posterior(_ problem: DenseProblem, most: Int, _ precision: LaplacePosterior.Precision? = nil) throws -> LowRankLaplace {
        let k = problem.outputs
        let whole = try problem.jacobian.multiplyTransposed(problem.jacobian, on: SerialTiles())
        let blocks = (0..<problem.points).flatMap { point in (0..<k * k).map { whole[point * k + $0 / k, point * k + $0 % k] } }
        return try LowRankLaplace(
            diagonal: Matrix(rows: problem.points, columns: k * k, blocks), problem.curvature, logLikelihood: -3,
            squaredNorm: problem.theta.sumOfSquares, precision: precision ?? .given(problem.precision), most: most, on: SerialTiles()
        ) { points in whole.columns(points.flatMap { $0 * k..<($0 + 1) * k }) }
    }

    private func covariances(_ problem: DenseProblem, _ posterior: LowRankLaplace) throws -> Matrix<Double> {
        let k = problem.outputs
        let own = try problem.testJacobian.multiplyTransposed(problem.testJacobian, on: SerialTiles())
        let cross = try problem.testJacobian.multiplyTransposed(problem.jacobian, on: SerialTiles())
        let blocks = (0..<3).flatMap { test in (0..<k * k).map { own[test * k + $0 / k, test * k + $0 % k] } }
        return try posterior.covariances(blocks: Matrix(rows: 3, columns: k * k, blocks), on: SerialTiles()) { points in
            cross.columns(points.flatMap { $0 * k..<($0 + 1) * k })
        }
    }

    @Test(arguments: DenseProblem.all) func allDirectionsAreExact(_ problem: DenseProblem) throws {
        let (exact, found) = (try problem.posterior(), try posterior(problem, most: 1_000))
        #expect(found.traceGap < 1e-10)
        #expect(abs(found.logMarginalLikelihood - exact.logMarginalLikelihood) < 1e-7)
        #expect(abs(found.effectiveParameters - exact.effectiveParameters) < 1e-7)
        let (left, right) = (try problem.covariances(exact), try covariances(problem, found))
        #expect(left.subtracting(right).largestMagnitude < 1e-8 * max(1, left.largestMagnitude))
        let (best, own) = (try problem.posterior(.marginalLikelihood), try posterior(problem, most: 1_000, .marginalLikelihood))
        #expect(abs(best.priorPrecision - own.priorPrecision) < 1e-7 * best.priorPrecision)
    }

    /// Few directions: the evidence is within its bounds, and variances are those of a posterior that knows less, where the rest is far away.
    @Test(arguments: DenseProblem.all) func theErrorIsStated(_ problem: DenseProblem) throws {
        let exact = try problem.posterior()
        var gaps: [Double] = []
        for most in [1, 3, 6, 12] {
            let found = try posterior(problem, most: most)
            #expect(found.rank <= most)
            let difference = found.logMarginalLikelihood - exact.logMarginalLikelihood
            #expect(difference > -1e-9 && difference < found.logMarginalLikelihoodError + 1e-9)
            gaps.append(found.traceGap)
            let k = problem.outputs
            for row in 0..<3 { for output in 0..<k { #expect(try covariances(problem, found)[row, output * (k + 1)] >= 0) } }
        }
        #expect(gaps == gaps.sorted(by: >))
    }
}
