import LinearAlgebra
import Synchronization
import TestSupport
import Testing

struct SymmetricEigenTests {
    @Test(arguments: [1, 2, 3, 40, 129, 300])
    func reproducesTheMatrix(n: Int) throws {
        let a = try CholeskyTests.positiveDefinite(n, seed: UInt64(n))
        let eigen = try SymmetricEigen(inPlace: a.copy(), on: ConcurrentTiles())
        #expect(eigen.values == eigen.values.sorted())
        let scaled = eigen.vectors.copy()
        scaled.scaleRows(eigen.values)
        let product = try eigen.combine(scaled, on: ConcurrentTiles()).subtracting(a)
        let largest = eigen.values.last ?? 0
        #expect(product.elements.allSatisfy { abs($0) < 1e-14 * Double(n) * largest })
        let identity = try eigen.vectors.multiplyTransposed(eigen.vectors, on: SerialTiles())
        identity.addToDiagonal(-1)
        #expect(identity.elements.allSatisfy { abs($0) < 1e-14 * Double(n + 10) })
        let ones = try eigen.weightedDiagonal([Double](repeating: 1, count: n), on: SerialTiles())
        #expect(ones.allSatisfy { abs($0 - 1) < 1e-13 })
    }

    @Test(arguments: [1, 2, 50, 64, 65, 66, 97, 400])
    func tridiagonalFormAnswersForEveryRidge(n: Int) throws {
        let a = try CholeskyTests.positiveDefinite(n, seed: 77)
        let form = Tridiagonal(inPlace: a.copy())
        let eigen = try SymmetricEigen(inPlace: a.copy(), on: SerialTiles())
        for (one, other) in zip(try form.eigenvalues(), eigen.values) { #expect(abs(one - other) < 1e-13 * (eigen.values.last ?? 0)) }
        let y = Matrix.random(n, 1, seed: 3)
        let projected = form.project(y).elements
        for ridge in [0, 0.1, 1e3] {
            let system = a.copy()
            system.addToDiagonal(ridge)
            let cholesky = try Cholesky(inPlace: system, on: SerialTiles())
            let factor = try #require(form.factor(ridge: ridge, tiniest: 0))
            #expect(abs(factor.logDeterminant - cholesky.logDeterminant) < 1e-11 * Double(n))
            let trace = try cholesky.inverseDiagonal(on: SerialTiles()).reduce(0, +)
            #expect(abs(factor.inverseTrace - trace) < 1e-12 * trace)
            let direct = try cholesky.solve(y, on: SerialTiles()).elements
            let own = factor.solve(projected)
            let (fit, expected) = (zip(own, projected).reduce(0) { $0 + $1.0 * $1.1 }, zip(direct, y.elements).reduce(0) { $0 + $1.0 * $1.1 })
            #expect(abs(fit - expected) < 1e-11 * abs(expected))
        }
        #expect(form.factor(ridge: -1e9, tiniest: 0) == nil)
    }

    /// What was begun is left where nobody waits for it.
    @Test func aReductionIsLeft() throws {
        let a = try CholeskyTests.positiveDefinite(300, seed: 5)
        let questions = Questions()
        let form = CurrentWork.asking({ questions.ask() > 40 }, { Tridiagonal(inPlace: a.copy()) })
        #expect(questions.count == 41 && form.diagonal[31] != 0 && form.diagonal[32] == 0)
    }

    private final class Questions: Sendable {
        private let asked = Mutex(0)
        var count: Int { asked.withLock { $0 } }

        func ask() -> Int {
            asked.withLock {
                $0 += 1
                return $0
            }
        }
    }

    /// The residual is right to all digits where plain arithmetic has none.
    @Test(arguments: [3, 300])
    func residualInTwiceThePrecision(n: Int) throws {
        let a = Matrix<Double>(zeroRows: n, columns: n)
        // 1 + 2⁻³⁰ off the diagonal, so that products need 60 bits.
        let entry = 1 + 0x1p-30
        let full = Matrix(rows: n, columns: n, a.elements.map { _ in entry })
        let x = Matrix(rows: n, columns: 1, [Double](repeating: entry, count: n))
        let b = Matrix(rows: n, columns: 1, [Double](repeating: Double(n) * (1 + 0x1p-29) + entry * 0.5, count: n))
        let residual = try full.residual(b, x, diagonal: full.diagonal, shifts: [Double](repeating: 0.5, count: n), on: ConcurrentTiles())
        // n (1 + 2⁻²⁹) + entry/2 − n (1 + 2⁻³⁰)² − entry/2, where the right side was rounded.
        let expected = (b[0, 0] - Double(n) - entry * 0.5) - Double(n) * 0x1p-29 - Double(n) * 0x1p-60
        #expect(residual.elements.allSatisfy { abs($0 - expected) <= 1e-12 * abs(expected) }, "\(residual[0, 0]) \(expected)")
    }
}
