import LinearAlgebra
import TestSupport
import Testing

@testable import Regression

/// The iteration alone, on matrices whose spectrum is known.
struct ConjugateGradientTests {
    private let n = 40

    /// U diag(values) Uᵀ with the Householder reflection U = I − 2vvᵀ/vᵀv.
    private func matrix(_ values: [Double]) -> Matrix<Double> {
        let v = Matrix.random(n, 1, seed: 7)
        let square = (0..<n).reduce(0) { $0 + v[$1, 0] * v[$1, 0] }
        func u(_ row: Int, _ column: Int) -> Double { (row == column ? 1 : 0) - 2 * v[row, 0] * v[column, 0] / square }
        var elements: [Double] = []
        for row in 0..<n {
            for column in 0..<n { elements.append((0..<n).reduce(0) { $0 + u(row, $1) * values[$1] * u(column, $1) }) }
        }
        return Matrix(rows: n, columns: n, elements)
    }

    private func solve(
        _ matrix: Matrix<Double>, _ right: Matrix<Double>, tolerance: Double = 1e-12, mostIterations: Int = 1000, keeper: (any BlockKeeper)? = nil,
        precondition: (Matrix<Double>) throws -> Matrix<Double> = { $0.copy() }
    ) throws -> ConjugateGradient {
        try ConjugateGradient(right, tolerance: tolerance, mostIterations: mostIterations, keeper: keeper, precondition: precondition) {
            try matrix.multiply($0, on: SerialTiles())
        }
    }

    private func residual(_ matrix: Matrix<Double>, _ right: Matrix<Double>, _ solution: Matrix<Double>) throws -> Double {
        let rest = right.subtracting(try matrix.multiply(solution, on: SerialTiles()))
        return (0..<right.columns).reduce(0) { most, column in
            func length(_ of: Matrix<Double>) -> Double { (0..<n).reduce(0) { $0 + of[$1, column] * of[$1, column] }.squareRoot() }
            return length(right) > 0 ? max(most, length(rest) / length(right)) : most
        }
    }

    /// As many steps as there are different eigenvalues.
    @Test(arguments: [1, 2, 3, 5]) func stepsAreDifferentEigenvalues(distinct: Int) throws {
        let matrix = matrix((0..<n).map { Double(1 + $0 % distinct) })
        let right = Matrix.random(n, 3, seed: 8)
        let result = try solve(matrix, right)
        #expect(result.iterations == distinct && result.residual < 1e-12)
        #expect(try residual(matrix, right, result.solution) < 1e-12)
    }

    @Test func aPreconditionerThatIsTheInverseNeedsOneStep() throws {
        let values = (0..<n).map { 1.5 + Double($0 * $0) }
        let (matrix, inverse) = (matrix(values), matrix(values.map { 1 / $0 }))
        let right = Matrix.random(n, 2, seed: 9)
        let result = try solve(matrix, right, tolerance: 1e-10) { try inverse.multiply($0, on: SerialTiles()) }
        #expect(result.iterations == 1)
        #expect(try residual(matrix, right, result.solution) < 1e-10)
    }

    /// Every column has steps of its own: beside others it takes what it takes alone, and one of zeros stays zero.
    @Test func columnsAreIndependent() throws {
        let matrix = matrix((0..<n).map { 1 + Double($0) / 4 })
        let right = Matrix.random(n, 3, seed: 10)
        right.scaleColumns([1, 0, 1])
        let result = try solve(matrix, right, tolerance: 0, mostIterations: 12)
        #expect((0..<n).allSatisfy { result.solution[$0, 1] == 0 })
        for column in [0, 2] {
            let alone = try solve(matrix, right.columns([column]), tolerance: 0, mostIterations: 12)
            #expect((0..<n).allSatisfy { abs(alone.solution[$0, 0] - result.solution[$0, column]) < 1e-13 })
        }
    }

    /// It ends after as many iterations as it may make, or when nothing has become better for 50, and says what it has reached.
    @Test func itEnds() throws {
        let matrix = matrix((0..<n).map { 1 + Double($0) })
        let right = Matrix.random(n, 1, seed: 11)
        let short = try solve(matrix, right, mostIterations: 7)
        #expect(short.iterations == 7 && short.residual > 1e-12)
        #expect(try abs(residual(matrix, right, short.solution) - short.residual) < 1e-12)
        let stalled = try solve(matrix, right, tolerance: 0)
        #expect(stalled.iterations > 50 && stalled.iterations < 500 && stalled.residual < 1e-12)
        #expect(try solve(matrix, Matrix(zeroRows: n, columns: 2)).iterations == 0)
    }

    /// An iteration that is broken off after every block goes on from what was kept, to the same bits.
    @Test func keptStatesGiveTheSameBits() throws {
        let matrix = matrix((0..<n).map { 1 + Double($0 * $0) })
        let right = Matrix.random(n, 2, seed: 12)
        // Until nothing has become better for fifty iterations.
        let whole = try solve(matrix, right, tolerance: 0, mostIterations: 160)
        #expect(whole.iterations > 64)
        let keeper = StoppingKeeper(blockOperations: 1)
        let (broken, stops) = try keeper.complete(stop: 1) { _ in try solve(matrix, right, tolerance: 0, mostIterations: 160, keeper: keeper) }
        #expect(stops > 2 && broken.iterations == whole.iterations && broken.solution.elements == whole.solution.elements)
    }
}
