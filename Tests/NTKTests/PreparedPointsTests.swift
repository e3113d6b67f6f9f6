import LinearAlgebra
import NTK
import TestSupport
import Testing

struct PreparedPointsTests {
    /// With a set that was prepared, and however many rows are beside a row, the numbers are the same bit for bit.
    @Test(arguments: [1, 7, 8, 9, 63, 64, 65, 130])
    func sameBitsWithAnyRowsBeside(rows: Int) throws {
        var generator = SeededGenerator(seed: UInt64(rows))
        let (n, d) = (700, 33)
        func points(_ count: Int) -> Matrix<Double> {
            Matrix(rows: count, columns: d, (0..<count * d).map { _ in Double.random(in: -1...1, using: &generator) })
        }
        let kernel = try AnalyticKernel(
            .serial([
                .dense(Affine(weightStd: 1.4, biasStd: 0.1)), .activation(.abRelu(a: 0, b: 1)), .dense(Affine(weightStd: 1.2)),
                .activation(.erf(a: 1, b: 1, c: 0)),
                .dense(Affine()),
            ]), features: d)
        let (x, train) = (points(rows), points(n))
        let prepared = try kernel.prepare(train, as: Double.self)
        let kinds: Set<KernelKind> = [.ntk, .nngp]
        let direct = try kernel.matrices(x, train, kinds: kinds, as: Double.self)
        let whole = try kernel.matrices(x, prepared, kinds: kinds)
        for kind in kinds { #expect(direct[kind]?.elements == whole[kind]?.elements) }
        for row in stride(from: 0, to: rows, by: max(1, rows / 5)) {
            let alone = try kernel.matrices(x.rows([row]), prepared, kinds: kinds)
            for kind in kinds { #expect(alone[kind]?.elements == whole[kind]?.row(row)) }
        }
    }
}
