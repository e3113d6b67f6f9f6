import Attribution
import Foundation
import LinearAlgebra
import TestSupport
import Testing

struct KernelStateTests {
    private func kernel(_ seed: UInt64) throws -> Matrix<Double> {
        let root = Matrix.random(6, 4, seed: seed)
        return try root.multiplyTransposed(root, on: SerialTiles())
    }

    @Test func numbersOfADiagonal() throws {
        let kernel = Matrix<Double>(zeroRows: 3, columns: 3)
        for (index, value) in [4.0, 2, 2].enumerated() { kernel.storage.set(index * 4, value) }
        let state = try KernelState(kernel, on: SerialTiles())
        #expect(state.trace == 8 && abs(state.largestEigenvalue - 4) < 1e-15)
        #expect(abs((state.entropy ?? 0) - 1.5 * log(2)) < 1e-14)
        #expect(abs((state.effectiveRank ?? 0) - exp2(1.5)) < 1e-14)
        #expect(abs(state.norm - 24.0.squareRoot()) < 1e-15)
        let targets = Matrix(rows: 3, columns: 1, [1, 1, 0])
        #expect(abs((try state.alignment(kernel, targets, on: SerialTiles()) ?? 0) - 6 / 24.0.squareRoot() / 2) < 1e-15)
    }

    @Test func distancesAreThoseOfDirections() throws {
        let (first, second) = (try kernel(1), try kernel(2))
        let product = zip(first.elements, second.elements).reduce(0) { $0 + $1.0 * $1.1 }
        let expected = 1 - product / (first.sumOfSquares * second.sumOfSquares).squareRoot()
        #expect(abs((KernelState.distance(first, second) ?? 0) - expected) < 1e-14)
        let multiple = first.copy()
        multiple.scaleRows([Double](repeating: 3, count: 6))
        #expect((KernelState.distance(first, multiple) ?? 1) < 1e-30)
    }

    @Test func nothingHasNoDirection() throws {
        let zero = Matrix<Double>(zeroRows: 2, columns: 2)
        let state = try KernelState(zero, on: SerialTiles())
        #expect(state.trace == 0 && state.entropy == nil && state.effectiveRank == nil)
        #expect(KernelState.distance(zero, zero) == nil)
        #expect(try state.alignment(zero, Matrix(rows: 2, columns: 1, [1, 2]), on: SerialTiles()) == nil)
    }
}
