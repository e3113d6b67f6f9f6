import Attribution
import Foundation
import LinearAlgebra
import NTK
import TestSupport
import Testing

/// A problem whose refits are cheap: k(x, x') = exp(−|x − x'|), or the same for each of some outputs with a coupling of them.
struct RefitProblem: CustomTestStringConvertible {
    var x: Matrix<Double>
    var y: Matrix<Double>
    var test = Matrix.random(5, 2, seed: 3)
    var ridge: Double
    /// Of outputs among each other, where the kernel tells them apart.
    var coupling: Matrix<Double>?

    var testDescription: String { "\(x.rows) points, \(y.columns) outputs, ridge \(ridge)\(coupling == nil ? "" : ", outputs apart")" }

    init(points: Int, outputs: Int, copies: [Int] = [], ridge: Double, isCoupled: Bool = false) {
        let own = Matrix.random(points, 2, seed: 1)
        x = own.rows(Array(0..<points) + copies)
        y = Matrix.random(x.rows, outputs, seed: 2)
        self.ridge = ridge
        if isCoupled {
            let root = Matrix.random(outputs, outputs, seed: 4)
            let coupling = Matrix<Double>(zeroRows: outputs, columns: outputs)
            coupling.addToDiagonal(1)
            self.coupling = try? coupling.addingGram(of: root, scale: 1, on: SerialTiles())
        }
    }

    private var size: Int { coupling?.rows ?? 1 }

    private func kernel(_ x1: Matrix<Double>, _ x2: Matrix<Double>) -> Matrix<Double> {
        let k = size
        let result = Matrix<Double>(zeroRows: x1.rows * k, columns: x2.rows * k)
        for i in 0..<x1.rows {
            for j in 0..<x2.rows {
                let value = exp(-hypot(x1[i, 0] - x2[j, 0], x1[i, 1] - x2[j, 1]))
                for a in 0..<k { for b in 0..<k { result.storage.set((i * k + a) * x2.rows * k + j * k + b, value * (coupling?[a, b] ?? 1)) } }
            }
        }
        return result
    }

    func fit(isComplete: Bool = true) throws -> KernelRidgeRegression {
        let points = DuplicateGroups(equalRowsOf: x)
        var groups = points
        if size > 1 {
            let rows = points.group.flatMap { group in (0..<size).flatMap { [Double(group), Double($0)] } }
            groups = DuplicateGroups(equalRowsOf: Matrix(rows: x.rows * size, columns: 2, rows))
        }
        let distinct = x.rows(points.representatives)
        return try KernelRidgeRegression(
            inPlace: kernel(distinct, distinct), groups: groups, targets: size > 1 ? y.reshaped(rows: y.rows * size, columns: 1) : y,
            options: RegressionOptions(ridge: .fixed(ridge), isComplete: isComplete), on: SerialTiles())
    }

    func cross(_ fit: KernelRidgeRegression, _ test: Matrix<Double>) -> Matrix<Double> {
        kernel(test, x.rows(fit.groups.representatives.filter { $0 % size == 0 }.map { $0 / size }))
    }

    func attribution() throws -> (RegressionAttribution, map: Matrix<Double>) {
        let fit = try fit()
        let map = try fit.map(cross(fit, test), on: SerialTiles())
        return (try RegressionAttribution(fit, targets: y, areOutputsApart: coupling != nil, on: SerialTiles()), map)
    }

    /// f(x*) [t, k].
    func prediction(at points: Matrix<Double>) throws -> Matrix<Double> {
        let fit = try fit()
        return try fit.mean(cross(fit, points), on: SerialTiles()).reshaped(rows: points.rows, columns: y.columns)
    }

    /// The covariance of noisy targets at one point, outputs together.
    func noisyCovariance(at point: Matrix<Double>) throws -> Matrix<Double> {
        let fit = try fit()
        let covariance = try fit.covariance(cross(fit, point), testTest: kernel(point, point), on: SerialTiles())
        covariance.addToDiagonal(ridge)
        return covariance
    }

    func without(_ points: [Int]) -> RefitProblem {
        var rest = self
        let kept = (0..<x.rows).filter { !points.contains($0) }
        (rest.x, rest.y) = (x.rows(kept), y.rows(kept))
        return rest
    }

    static let all = [
        RefitProblem(points: 14, outputs: 1, ridge: 0.1),
        RefitProblem(points: 14, outputs: 3, ridge: 1e-3),
        RefitProblem(points: 12, outputs: 2, ridge: 0),
        RefitProblem(points: 10, outputs: 2, copies: [0, 0, 3, 7], ridge: 0.1),
        RefitProblem(points: 10, outputs: 2, copies: [0, 0, 3, 7], ridge: 0),
        RefitProblem(points: 9, outputs: 3, ridge: 0.05, isCoupled: true),
        RefitProblem(points: 8, outputs: 2, copies: [1, 5, 5], ridge: 0.2, isCoupled: true),
        RefitProblem(points: 8, outputs: 2, copies: [1, 5, 5], ridge: 0, isCoupled: true),
    ]
}

/// Every number against refits without the points.
struct RegressionAttributionTests {
    private func distance(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Double { left.subtracting(right).largestMagnitude }

    @Test(arguments: RefitProblem.all) func leaveOneOutIsWhatRefitsLose(_ problem: RefitProblem) throws {
        let (attribution, map) = try problem.attribution()
        let influence = try attribution.influence(.removal, map, on: SerialTiles())
        let k = problem.y.columns
        let mean = try problem.prediction(at: problem.test)
        for point in 0..<problem.x.rows {
            let rest = problem.without([point])
            let own = influence.columns(Array(point * k..<(point + 1) * k))
            #expect(try distance(mean.subtracting(rest.prediction(at: problem.test)), own) < 1e-12)
            let residual = problem.y.rows([point]).subtracting(try rest.prediction(at: problem.x.rows([point])))
            #expect(distance(residual, attribution.selfInfluence.rows([point])) < 1e-12)
        }
    }

    @Test(arguments: RefitProblem.all) func groupsAreWhatRefitsLose(_ problem: RefitProblem) throws {
        let (attribution, map) = try problem.attribution()
        let mean = try problem.prediction(at: problem.test)
        let n = problem.x.rows
        let copies = DuplicateGroups(equalRowsOf: problem.x).group
        let together = (0..<n).filter { copies[$0] == copies[n - 1] }
        for points in [[], [2], [0, 4, n - 1], Array(stride(from: 1, to: n, by: 2)), together, together + [2], Array(1..<n)] {
            let influence = try attribution.influence(attribution.removal(of: points, on: SerialTiles()), map, on: SerialTiles())
            let refit = try problem.without(points).prediction(at: problem.test)
            #expect(distance(mean.subtracting(refit), influence) < 1e-12, "\(points)")
        }
    }

    @Test(arguments: RefitProblem.all) func weightsOfTargetsMakeThePrediction(_ problem: RefitProblem) throws {
        let (attribution, map) = try problem.attribution()
        let weights = try attribution.weights(map, on: SerialTiles())
        let mean = try problem.prediction(at: problem.test)
        guard problem.coupling != nil else {
            #expect(try distance(weights.multiply(problem.y, on: SerialTiles()), mean) < 1e-12)
            return
        }
        let (k, n) = (problem.y.columns, problem.x.rows)
        let rows = weights.reshaped(rows: problem.test.rows * k, columns: n * k)
        let sums = try rows.multiply(problem.y.reshaped(rows: n * k, columns: 1), on: SerialTiles())
        #expect(distance(sums.reshaped(rows: problem.test.rows, columns: k), mean) < 1e-12)
    }

    @Test(arguments: RefitProblem.all) func contributionsSumToThePrediction(_ problem: RefitProblem) throws {
        let (attribution, map) = try problem.attribution()
        let (k, n) = (problem.y.columns, problem.x.rows)
        let all = try attribution.influence(.contribution, map, on: SerialTiles())
        let mean = try problem.prediction(at: problem.test)
        for test in 0..<problem.test.rows {
            for output in 0..<k { #expect(abs((0..<n).reduce(0) { $0 + all[test, $1 * k + output] } - mean[test, output]) < 1e-12) }
        }
    }

    /// A fit whose diagnostics are not complete gives the same by its factor.
    @Test(arguments: RefitProblem.all) func factorsAloneTellTheSame(_ problem: RefitProblem) throws {
        let (complete, _) = try problem.attribution()
        let fast = try RegressionAttribution(
            problem.fit(isComplete: false), targets: problem.y, areOutputsApart: problem.coupling != nil, on: SerialTiles())
        #expect(distance(complete.selfInfluence, fast.selfInfluence) < 1e-12)
        for (left, right) in zip(complete.leverages, fast.leverages) { #expect(abs(left - right) < 1e-12) }
        for (left, right) in zip(complete.logPredictive, fast.logPredictive) { #expect(abs((left ?? 0) - (right ?? 0)) < 1e-9) }
    }

    /// The leverage is the derivative of the fit at a point by its own target, which is linear.
    @Test(arguments: RefitProblem.all) func leverageIsTheShareOfTheOwnTarget(_ problem: RefitProblem) throws {
        let (attribution, _) = try problem.attribution()
        for point in 0..<problem.x.rows {
            let own = problem.x.rows([point])
            let before = try problem.prediction(at: own)
            var trace = 0.0
            for output in 0..<problem.y.columns {
                var changed = problem
                changed.y = problem.y.copy()
                changed.y.storage.set(point * problem.y.columns + output, problem.y[point, output] + 1)
                trace += try changed.prediction(at: own)[0, output] - before[0, output]
            }
            let expected = problem.coupling == nil ? trace / Double(problem.y.columns) : trace
            #expect(abs(attribution.leverages[point] - expected) < 1e-11)
        }
    }

    @Test(arguments: RefitProblem.all.filter { $0.ridge > 0 }) func densityIsThatOfTheRefit(_ problem: RefitProblem) throws {
        let (attribution, _) = try problem.attribution()
        for point in 0..<problem.x.rows {
            let rest = problem.without([point])
            let residual = attribution.selfInfluence.row(point)
            let covariance = try rest.noisyCovariance(at: problem.x.rows([point]))
            let k = residual.count
            var expected = -Double(k) * log(2 * .pi) / 2
            if problem.coupling == nil {
                for value in residual { expected -= (log(covariance[0, 0]) + value * value / covariance[0, 0]) / 2 }
            } else {
                let factor = try Cholesky(inPlace: covariance, on: SerialTiles())
                let solution = try factor.solve(Matrix(rows: k, columns: 1, residual), on: SerialTiles())
                expected -= (factor.logDeterminant + zip(residual, solution.elements).reduce(0) { $0 + $1.0 * $1.1 }) / 2
            }
            let found = try #require(attribution.logPredictive[point])
            #expect(abs(found - expected) < 1e-10 * max(1, abs(expected)))
        }
    }

    @Test func largestAreThoseOfAll() throws {
        for problem in RefitProblem.all {
            let (attribution, map) = try problem.attribution()
            let all = try attribution.influence(.removal, map, on: SerialTiles())
            let largest = try attribution.largest(.removal, map, top: 4, on: SerialTiles())
            let k = problem.y.columns
            for test in 0..<problem.test.rows {
                func length(_ point: Int) -> Double { (0..<k).reduce(0) { $0 + all[test, point * k + $1] * all[test, point * k + $1] } }
                let points = largest.points[test]
                let least = try #require(points.map(length).min())
                #expect(Set(points).count == 4)
                #expect((0..<problem.x.rows).allSatisfy { points.contains($0) || length($0) <= least })
                for (place, point) in points.enumerated() {
                    for output in 0..<k { #expect(largest.values[test, place * k + output] == all[test, point * k + output]) }
                }
            }
        }
    }

    /// Of equal points that are more than the kernel's rank, one is left out as the limit of small ridges says; sets are refused.
    @Test func singularSystemsHaveNoSets() throws {
        let problem = RefitProblem(points: 6, outputs: 1, ridge: 0)
        let flat = Matrix<Double>(zeroRows: 6, columns: 6)
        for index in 0..<36 { flat.storage.set(index, 1) }
        let fit = try KernelRidgeRegression(
            inPlace: flat, targets: problem.y, options: RegressionOptions(isComplete: true), on: SerialTiles())
        let attribution = try RegressionAttribution(fit, targets: problem.y, areOutputsApart: false, on: SerialTiles())
        let mean = problem.y.elements.reduce(0, +) / 6
        for point in 0..<6 {
            let rest = (6 * mean - problem.y[point, 0]) / 5
            #expect(abs(attribution.selfInfluence[point, 0] - (problem.y[point, 0] - rest)) < 1e-12)
            #expect(attribution.logPredictive[point] == nil)
        }
        #expect(throws: RegressionError.self) { try attribution.removal(of: [0, 1], on: SerialTiles()) }
    }
}
