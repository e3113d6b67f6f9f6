import LinearAlgebra
import TestSupport
import Testing

struct CholeskyTests {
    /// B Bᵀ + I for a random B.
    static func positiveDefinite(_ n: Int, seed: UInt64) throws -> Matrix<Double> {
        let b = Matrix.random(n, n, seed: seed)
        let identity = Matrix<Double>(zeroRows: n, columns: n)
        identity.addToDiagonal(1)
        return try identity.addingGram(of: b, scale: 1, on: SerialTiles())
    }

    /// Sizes below, at and beyond a tile.
    @Test(arguments: [1, 2, 17, 255, 256, 257, 600])
    func factorReproducesTheMatrix(n: Int) throws {
        let a = try Self.positiveDefinite(n, seed: UInt64(n))
        let cholesky = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles())
        var worst = 0.0
        for i in stride(from: 0, to: n, by: max(1, n / 37)) {
            for j in 0...i {
                let product = (0...j).reduce(0.0) { $0 + cholesky.factor[i, $1] * cholesky.factor[j, $1] }
                worst = max(worst, abs(product - a[i, j]) / (a[i, i] * a[j, j]).squareRoot())
            }
        }
        #expect(worst < 1e-14 * Double(n))
    }

    @Test func doesNotDependOnThreads() throws {
        let a = try Self.positiveDefinite(700, seed: 5)
        let serial = try Cholesky(inPlace: a.copy(), on: SerialTiles())
        let concurrent = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles())
        for i in 0..<700 { #expect(serial.factor.row(i)[0...i] == concurrent.factor.row(i)[0...i]) }
    }

    @Test func solves() throws {
        let a = try Self.positiveDefinite(300, seed: 3)
        let b = Matrix.random(300, 4, seed: 4)
        let x = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles()).solve(b, on: ConcurrentTiles())
        let residual = try a.multiply(x, on: SerialTiles()).subtracting(b)
        #expect(residual.elements.allSatisfy { abs($0) < 1e-11 })
    }

    @Test func inverseDiagonalAndWhitening() throws {
        let n = 130
        let a = try Self.positiveDefinite(n, seed: 8)
        let cholesky = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles())
        let identity = Matrix<Double>(zeroRows: n, columns: n)
        identity.addToDiagonal(1)
        let inverse = try cholesky.solve(identity, on: ConcurrentTiles())
        let diagonal = try cholesky.inverseDiagonal(on: ConcurrentTiles())
        let whitened = try cholesky.whiten(identity, on: ConcurrentTiles()).rowSquares
        for i in 0..<n {
            #expect(abs(diagonal[i] - inverse[i, i]) < 1e-13)
            #expect(abs(whitened[i] - inverse[i, i]) < 1e-13)
        }
    }

    @Test func logDeterminantAndCondition() throws {
        let a = Matrix([[4.0, 0], [0, 0.25]])
        let cholesky = try Cholesky(inPlace: a, on: SerialTiles())
        #expect(abs(cholesky.logDeterminant) < 1e-15)
        #expect(abs(cholesky.reciprocalCondition - 1.0 / 16) < 1e-15)
    }

    @Test func refusesWhatIsNotPositiveDefinite() throws {
        #expect(throws: NotPositiveDefinite(minor: 2)) {
            try Cholesky(inPlace: Matrix([[1.0, 2], [2, 1]]), on: SerialTiles())
        }
        let late = try Self.positiveDefinite(400, seed: 1)
        late.storeDiagonal((0..<400).map { $0 == 300 ? -1 : late[$0, $0] })
        #expect(throws: NotPositiveDefinite(minor: 301)) { try Cholesky(inPlace: late, on: ConcurrentTiles()) }
    }

    @Test func solvesFromTheRight() throws {
        let a = try Self.positiveDefinite(130, seed: 9)
        let rows = Matrix.random(70, 130, seed: 10)
        let cholesky = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles())
        let back = try cholesky.solveRows(rows, on: ConcurrentTiles()).multiply(a, on: SerialTiles()).subtracting(rows)
        #expect(back.elements.allSatisfy { abs($0) < 1e-11 })
    }

    @Test func keepsTheMatrixAboveTheDiagonal() throws {
        let a = try Self.positiveDefinite(300, seed: 2)
        let cholesky = try Cholesky(inPlace: a.copy(), on: ConcurrentTiles())
        for i in 0..<300 { #expect(cholesky.factor.row(i)[(i + 1)...] == a.row(i)[(i + 1)...]) }
        let copy = cholesky.factor.copy()
        copy.mirrorUpperHalf()
        copy.storeDiagonal(a.diagonal)
        #expect(copy.elements == a.elements)
    }

    @Test func inSinglePrecision() throws {
        let a = try Self.positiveDefinite(300, seed: 6)
        let single = Matrix<Float>(uninitializedRows: 300, columns: 300)
        single.assign(a)
        let b = Matrix.random(300, 2, seed: 7)
        let right = Matrix<Float>(rows: 300, columns: 2, b.elements.map { Float($0) })
        let x = try Cholesky(inPlace: single, on: ConcurrentTiles()).solve(right, on: SerialTiles())
        let residual = try a.multiply(Matrix(rows: 300, columns: 2, x.elements.map { Double($0) }), on: SerialTiles()).subtracting(b)
        #expect(residual.elements.allSatisfy { abs($0) < 1e-2 } && residual.elements.contains { abs($0) > 1e-9 })
    }
}
