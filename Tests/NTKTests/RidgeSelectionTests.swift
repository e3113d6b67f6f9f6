import LinearAlgebra
import NTK
import TestSupport
import Testing

@testable import Regression

struct RidgeSelectionTests {
    @Test func theLeastScoreIsTaken() throws {
        let selection = try RidgeSelection(.leaveOneOut, [1, 2, 3, 4, 5], scores: [nil, 3, -2, -2, nil])
        #expect(selection.best == 2 && selection.values == [nil, 9, 4, 4, nil], "of equal ones the first; errors are squares")
        #expect(try RidgeSelection(.marginalLikelihood, [1, 2], scores: [-3, 2]).values == [-3, 2])
        #expect(throws: RegressionError.self) { try RidgeSelection(.leaveOneOut, [1, 2], scores: [nil, nil]) }
    }

    @Test func anEndOfTheCandidatesIsTold() throws {
        func warning(_ candidates: [Double], _ scores: [Double?]) throws -> String? {
            try RidgeSelection(.leaveOneOut, candidates, scores: scores).warning
        }
        #expect(try warning([1, 2, 3], [3, 1, 2]) == nil)
        #expect(try warning([1, 2, 3], [3, 2, 1])?.contains("largest") == true)
        #expect(try warning([3, 2, 1], [3, 2, 1])?.contains("smallest") == true)
        // Nothing is smaller than no ridge, and one candidate is no choice.
        #expect(try warning([0, 1], [1, 2]) == nil)
        #expect(try warning([5, 5], [1, 2]) == nil)
    }

    /// Each criterion's values are those of fits with each candidate alone, and the least is taken.
    @Test(arguments: RidgeCriterion.allCases, [0, 7]) func valuesAreThoseOfSingleFits(criterion: RidgeCriterion, repeated: Int) throws {
        let base = Matrix.random(25, 3, seed: 51)
        let x = base.rows(Array(0..<25) + Array(0..<repeated))
        let y = Matrix.random(25 + repeated, 2, seed: 52)
        let groups = DuplicateGroups(equalRowsOf: x)
        let kernel = try #require(
            AnalyticKernel(.mlp(depth: 1, weightStd: 1.3, biasStd: 0.2), features: 3).matrices(base, kinds: [.ntk], as: Double.self).ntk)
        func fit(_ ridge: Ridge) throws -> KernelRidgeRegression {
            try KernelRidgeRegression(inPlace: kernel.copy(), groups: groups, targets: y, options: RegressionOptions(ridge: ridge))
        }
        let candidates = [1e-4, 1e-2, 0.3, 2, 50]
        let selection = try #require(fit(.select(criterion, candidates: candidates)).diagnostics.selection)
        let single = try candidates.map { try #require(fit(.select(criterion, candidates: [$0])).diagnostics.selection?.values[0]) }
        for (own, expected) in zip(selection.values, single) { #expect(try abs(#require(own) - expected) < 1e-9 * abs(expected)) }
        #expect(selection.best == single.indices.min { single[$0] < single[$1] })
        if criterion == .leaveOneOut {
            for (candidate, value) in zip(candidates, single) {
                let error = try #require(fit(.fixed(candidate)).diagnostics.leaveOneOutError)
                #expect(abs(value - error) < 1e-9 * error)
            }
        }
    }

    /// The score does not depend on the units of the targets, of the kernel, and of the ridge.
    @Test(arguments: RidgeCriterion.allCases) func unitsDoNotChangeTheChoice(criterion: RidgeCriterion) throws {
        let kernel = try #require(
            AnalyticKernel(.mlp(depth: 1), features: 2).matrices(Matrix.random(20, 2, seed: 53), kinds: [.ntk], as: Double.self).ntk)
        let y = Matrix.random(20, 1, seed: 54)
        let candidates = [1e-3, 0.03, 0.1, 1, 10]
        func best(_ target: Double, _ unit: Double) throws -> Int? {
            let scaled = Matrix(rows: 20, columns: 20, kernel.elements.map { $0 * unit })
            let targets = Matrix(rows: 20, columns: 1, y.elements.map { $0 * target })
            let options = RegressionOptions(ridge: .select(criterion, candidates: candidates.map { $0 * unit }))
            return try KernelRidgeRegression(inPlace: scaled, targets: targets, options: options).diagnostics.selection?.best
        }
        let expected = try best(1, 1)
        for (target, unit) in [(1e12, 1.0), (1e-9, 1), (1, 1e10), (1e-5, 1e-7)] { #expect(try best(target, unit) == expected) }
    }
}
