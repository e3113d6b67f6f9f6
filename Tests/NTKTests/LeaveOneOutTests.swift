import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Regression

/// Residuals in closed form against fits without each point.
struct LeaveOneOutTests {
    private let ridge = 0.05

    /// Gaussian elimination with pivots: nothing that the closed forms use.
    private func solve(_ matrix: [[Double]], _ right: [[Double]]) -> [[Double]] {
        var (a, b) = (matrix, right)
        for column in a.indices {
            guard let pivot = (column..<a.count).max(by: { abs(a[$0][column]) < abs(a[$1][column]) }) else { return [] }
            a.swapAt(column, pivot)
            b.swapAt(column, pivot)
            for row in a.indices where row != column {
                let factor = a[row][column] / a[column][column]
                for k in column..<a.count { a[row][k] -= factor * a[column][k] }
                for k in b[row].indices { b[row][k] -= factor * b[column][k] }
            }
        }
        return a.indices.map { row in b[row].map { $0 / a[row][row] } }
    }

    private func kernel(_ x: [Double], _ y: [Double]) -> [[Double]] { x.map { a in y.map { exp(-(a - $0) * (a - $0)) } } }

    private func refits(_ x: [Double], _ y: [[Double]]) -> [[Double]] {
        x.indices.map { point in
            let kept = x.indices.filter { $0 != point }
            let inner = kept.map { x[$0] }
            var matrix = kernel(inner, inner)
            for index in matrix.indices { matrix[index][index] += ridge }
            let coefficients = solve(matrix, kept.map { y[$0] })
            let row = kernel([x[point]], inner)[0]
            return y[point].indices.map { output in y[point][output] - zip(row, coefficients).reduce(0) { $0 + $1.0 * $1.1[output] } }
        }
    }

    /// Points of which some are equal; with powers of two as units of the system and of the targets, which change nothing.
    @Test(arguments: [[0.1, 0.9, -1.4, 2, 0.5], [0.1, 0.9, 0.1, -1.4, 0.1, 0.9]], [0, 3]) func closedFormsAreRefits(x: [Double], unit: Int) throws {
        let y = x.indices.map { [sin(Double(3 * $0)), Double($0 * $0) - 2] }
        let groups = DuplicateGroups(equalRowsOf: Matrix(x.map { [$0] }))
        let targets = Matrix(y)
        let distinct = groups.representatives.map { x[$0] }
        var system = kernel(distinct, distinct)
        for row in system.indices {
            for column in system.indices { system[row][column] *= (groups.multiplicities[row] * groups.multiplicities[column]).squareRoot() }
            system[row][row] += ridge
        }
        let reduced = groups.reduce(targets)
        let beta = solve(system, (0..<reduced.rows).map { reduced.row($0) })
        let inverse = solve(system, system.indices.map { row in system.indices.map { $0 == row ? 1 : 0 } })
        // D⁻¹ β in units of 2^unit, D⁻¹ G D⁻¹, and λ D², for D = 2^(−unit).
        let factor = Double(sign: .plus, exponent: unit, significand: 1)
        let form = LeaveOneOut(
            groups: groups, deviations: groups.deviations(targets), scaling: UnitScaling(uniform: unit, count: distinct.count),
            shifts: distinct.map { _ in ridge / factor / factor })
        let residuals = form.residuals(
            Matrix(beta.map { $0.map { $0 * factor / factor } }), units: [unit, unit],
            inverseDiagonal: inverse.indices.map { inverse[$0][$0] * factor * factor },
            nullSpace: nil)
        for (own, expected) in zip((0..<x.count).map { residuals.row($0) }, refits(x, y)) {
            for (a, b) in zip(own, expected) { #expect(abs(a - b) < 1e-11) }
        }
    }

    /// With a ridge that goes to 0, equal points predict each other: the residual is the distance to the mean of the others.
    @Test func withoutARidgeEqualPointsPredictEachOther() {
        let targets = Matrix([[1.0], [4.0], [10.0]])
        let groups = DuplicateGroups(equalRowsOf: Matrix([[0.5], [0.5], [0.5]]))
        let form = LeaveOneOut(groups: groups, deviations: groups.deviations(targets), scaling: UnitScaling(uniform: 0, count: 1), shifts: [0])
        let residuals = form.residuals(Matrix([[3.0]]), units: [0], inverseDiagonal: [1], nullSpace: nil)
        for (own, expected) in zip(residuals.elements, [1.0 - 7, 4 - 5.5, 10 - 2.5]) { #expect(abs(own - expected) < 1e-14) }
    }
}
