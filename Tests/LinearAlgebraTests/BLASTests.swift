import Foundation
import LinearAlgebra
import TestSupport
import Testing

struct BLASTests {
    /// The kernels of OpenBLAS are those of a processor with the same vectors, whether the library knows this one or not.
    @Test func kernelsFitTheProcessor() throws {
        let information = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let hasVectors = information.contains(" avx2 ") && information.contains(" fma ")
        #expect(!BLAS.kernels.isEmpty)
        if hasVectors, ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil { #expect(BLAS.kernels != "Prescott") }
    }

    /// A row's sum of squares is the same wherever the row stands, to the bit: rows of odd length begin at addresses of two kinds.
    @Test(arguments: 1...70)
    func rowSquaresDependOnTheRowAlone(columns: Int) {
        let row = Matrix.random(1, columns, seed: UInt64(columns))
        let expected = row.elements.reduce(0) { $0 + $1 * $1 }
        let rows = row.rows([Int](repeating: 0, count: 9))
        for own in rows.rowSquares {
            #expect(own == row.rowSquares[0])
            #expect(abs(own - expected) <= 1e-15 * Double(columns) * expected)
        }
        let single = Matrix<Float>(rows: 9, columns: columns, rows.elements.map { Float($0) })
        for own in single.rowSquares {
            #expect(own == single.rowSquares[0])
            #expect(abs(Double(own) - expected) <= 1e-6 * Double(columns) * expected)
        }
    }
}
