import LinearAlgebra
import TestSupport
import Testing

@testable import NTK

/// Products of kernel rows with the coefficients of a fit.
struct CoefficientPanelsTests {
    @Test(arguments: [(1, 1), (3, 24), (393, 10), (1_000, 25)]) func itIsTheMatrixProduct(points: Int, outputs: Int) throws {
        let seed = UInt64.random(in: .min ... .max)
        let coefficients = Matrix<Double>.random(points, outputs, seed: seed)
        for rows in [1, 3, 4, 5, 700] {
            let kernel = Matrix<Double>.random(rows, points, seed: seed ^ UInt64(rows))
            let product = try CoefficientPanels(coefficients).product(kernel, on: ConcurrentTiles())
            let expected = try kernel.multiply(coefficients, on: ConcurrentTiles())
            #expect(product.rows == rows && product.columns == outputs)
            for (own, other) in zip(product.elements, expected.elements) {
                #expect(abs(own - other) <= 1e-13 * Double(points).squareRoot(), "seed \(seed)")
            }
        }
    }

    /// A row's bits do not depend on the rows beside it, were they infinite.
    @Test func aRowStandsForItself() throws {
        let seed = UInt64.random(in: .min ... .max)
        let panels = CoefficientPanels(Matrix<Double>.random(500, 7, seed: seed))
        let kernel = Matrix<Double>.random(23, 500, seed: seed ^ 1)
        let together = try panels.product(kernel, on: ConcurrentTiles())
        for row in 0..<kernel.rows {
            let alone = try panels.product(kernel.rows([row]), on: ConcurrentTiles())
            #expect(alone.elements == together.row(row), "seed \(seed)")
        }
        let infinite = Matrix(rows: 2, columns: 500, kernel.row(0) + [Double](repeating: .infinity, count: 500))
        #expect(try panels.product(infinite, on: ConcurrentTiles()).row(0) == together.row(0), "seed \(seed)")
    }
}
