import LinearAlgebra
import NTK
import Testing

/// What an operation cannot do without: where it is not there, that is an error, and neither the end of the process nor a layer left out.
struct KernelFaultTests {
    @Test func aGraphWithoutPatternsIsAnError() throws {
        let kernel = try AnalyticKernel(
            .serial([.dense(Affine()), .aggregate(axes: nil), .globalPool(.average), .dense(Affine())]), shape: [2, 1])
        let points = Matrix(rows: 2, columns: 2, [1.0, 2, 0.5, -1])
        #expect(throws: KernelFault.self) { try kernel.matrices(points, kinds: [.nngp, .ntk], as: Double.self) }
        #expect(throws: KernelFault.self) { try kernel.diagonals(points, kinds: [.ntk], as: Double.self) }
    }
}
