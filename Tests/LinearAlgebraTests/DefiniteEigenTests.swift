import Foundation
import LinearAlgebra
import TestSupport
import Testing

struct DefiniteEigenTests {
    /// S A S with rows of other units: each eigenvector's equation holds to the digits of its own eigenvalue.
    @Test(arguments: [0, 9, 40, 200, 450])
    func gradedMatrices(most: Int) throws {
        let n = 12
        let a = try CholeskyTests.positiveDefinite(n, seed: 3)
        var generator = SeededGenerator(seed: UInt64(most))
        let powers = (0..<n).map { _ in Int.random(in: -most...most, using: &generator) }
        let graded = Matrix((0..<n).map { i in (0..<n).map { a[i, $0].scaled(by: powers[i] + powers[$0]) } })
        let own = try DefiniteEigen(inPlace: graded.copy(), noise: 1e-9, on: SerialTiles())
        #expect(own.rank == n && own.eigen.values == own.eigen.values.sorted() && own.eigen.values.allSatisfy { $0 > 0 })
        // The product of the eigenvalues is the determinant.
        let scaling = UnitScaling(diagonal: graded.diagonal)
        let unit = graded.copy()
        let norm = try scaling.apply(to: unit, on: SerialTiles())
        let cholesky = try Cholesky(inPlace: unit, norm: norm, on: SerialTiles())
        let determinant = cholesky.logDeterminant + 2 * 0.6931471805599453 * Double(scaling.exponents.reduce(0, +))
        let sum = own.eigen.values.reduce(0) { $0 + log($1) }
        #expect(abs(sum - determinant) < 1e-11 * max(abs(determinant), 1))
        let identity = try own.eigen.vectors.multiplyTransposed(own.eigen.vectors, on: SerialTiles())
        identity.addToDiagonal(-1)
        #expect(identity.elements.allSatisfy { abs($0) < 1e-13 })
    }

    @Test(arguments: [1, 3, 7])
    func singularMatrices(rank: Int) throws {
        let rows: [[Double]] = (0..<10).map { i in
            (0..<rank).map { j in
                let value: Int = i * 7 + j * 3 + i * i * j
                return Double(value % 9 - 4)
            }
        }
        let x = Matrix(rows)
        let a = try x.multiplyTransposed(x, on: SerialTiles())
        let own = try DefiniteEigen(inPlace: a.copy(), noise: 1e-9, on: SerialTiles())
        #expect(own.rank <= rank && own.eigen.vectors.rows == 10)
        let scaled = own.eigen.vectors.copy()
        scaled.scaleRows(own.eigen.values)
        let rest = try own.eigen.combine(scaled, on: SerialTiles()).subtracting(a)
        #expect(rest.elements.allSatisfy { abs($0) < 1e-12 * (own.eigen.values.last ?? 0) })
        #expect(throws: Indefinite.self) {
            try DefiniteEigen(inPlace: Matrix([[1.0, 2], [2, 1]]), noise: 1e-9, on: SerialTiles())
        }
    }

    @Test func scalingIsExact() throws {
        let diagonal = [1e300, 3, 0, Double.leastNonzeroMagnitude, 1e-200, 0.26]
        let scaling = UnitScaling(diagonal: diagonal)
        for (value, exponent) in zip(diagonal, scaling.exponents) where value > 0 {
            #expect((0.5..<2).contains(value.scaled(by: -2 * exponent)))
        }
        #expect(scaling.exponents[2] == 0 && UnitScaling(diagonal: [4, 5, 7]).isIdentity)
        #expect(1.5.scaled(by: -1_074) == 1.5 * Double.leastNonzeroMagnitude && 3.0.scaled(by: 5_000) == .infinity && 3.0.scaled(by: -5_000) == 0)
    }
}
