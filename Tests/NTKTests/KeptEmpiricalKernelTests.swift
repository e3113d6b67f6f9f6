import LinearAlgebra
import NTK
import TestSupport
import Testing

/// Empirical kernels that are broken off, and go on from the blocks that were kept.
struct KeptEmpiricalKernelTests {
    private static func kernel() throws -> EmpiricalKernel {
        let network = try FiniteNetwork(
            .serial([.dense(Affine(width: 7, biasStd: 0.2)), .erf, .dense(Affine(width: 3))]), inputShape: [4], given: nil)
        var kernel = EmpiricalKernel(network, try network.drawParameters(seed: 2))
        kernel.workingBytes = 1_500
        return kernel
    }

    @Test(arguments: [OutputSelection.mean, .diagonal, .full, .chosen([2, 0])])
    func goesOnFromItsBlocks(selection: OutputSelection) throws {
        let kernel = try Self.kernel()
        let (x1, x2) = (Matrix<Double>.random(9, 4, seed: 1), Matrix<Double>.random(5, 4, seed: 2))
        for other in [nil, x2] {
            let whole = try kernel.ntk(x1, other, outputs: selection, as: Float.self).kernel.elements
            let keeper = StoppingKeeper(blockOperations: 1)
            let (result, stops) = try keeper.complete(stop: 1) {
                try kernel.ntk(x1, other, outputs: selection, keptAs: "k", as: Float.self, on: $0).kernel.elements
            }
            #expect(result == whole && stops > 1 && keeper.computed == Array(repeating: "k", count: stops + 1))
            // Under a name only.
            let none = StoppingKeeper(blockOperations: 1)
            _ = try kernel.ntk(x1, other, outputs: selection, as: Float.self, on: KeepingTiles(keeper: none))
            #expect(none.computed.isEmpty)
        }
    }

    /// Blocks are bounded by time, too, and the shares of a block are those of the whole.
    @Test func blocksOfAFewSeconds() throws {
        let network = try FiniteNetwork(.serial([.dense(Affine(width: 2)), .erf, .dense(Affine(width: 2))]), inputShape: [4], given: nil)
        var kernel = EmpiricalKernel(network, try network.drawParameters(seed: 3))
        let x = Matrix<Double>.random(1_030, 4, seed: 3)
        func blocks(_ isLayerwise: Bool) -> EmpiricalKernel.Blocks<Double> {
            EmpiricalKernel.Blocks(kernel, x, nil, patterns: nil, outputs: .mean, isLayerwise: isLayerwise)
        }
        #expect(blocks(false).tiles.count == 1)
        let whole = try kernel.ntk(x, outputs: .mean, as: Double.self).kernel
        kernel.blockOperations = 100_000
        let cut = blocks(true)
        #expect(cut.tiles.count == 3 && cut.names == ["0.weight", "2.weight"])
        let total = Matrix<Double>(zeroRows: x.rows, columns: cut.columns)
        let shares = cut.names.map { _ in Matrix<Double>(zeroRows: x.rows, columns: cut.columns) }
        // In any order.
        for index in cut.tiles.indices.reversed() { try cut.compute(index, total: total, shares: shares, on: ConcurrentTiles()) }
        try cut.complete(total: total, shares: shares)
        #expect(total.subtracting(whole).largestMagnitude <= 1e-12 * whole.largestMagnitude)
        let direct = try kernel.ntk(x, outputs: .mean, isLayerwise: true, as: Double.self)
        #expect(direct.kernel.elements == total.elements)
    }
}
