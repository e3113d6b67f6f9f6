import COpenBLAS
import Foundation
import LinearAlgebra
import NTK

/// The steps of a fit, beside LAPACK's factorization of the same size on all cores.
enum RegressionBenchmark {
    static func run(n: Int, outputs: Int = 10) throws {
        var generator = FixedGenerator()
        func random(_ rows: Int, _ columns: Int) -> Matrix<Double> {
            Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Double.random(in: -1...1, using: &generator) })
        }
        let (x, y) = (random(n, 100), random(n, outputs))
        let executor = ConcurrentTiles()
        let kernel = try AnalyticKernel(.mlp(depth: 3, weightStd: 2.0.squareRoot(), biasStd: 0.1), features: 100)
        print("| n = \(n), \(outputs) outputs | seconds |\n|---|---:|")
        var gram = Matrix<Double>(zeroRows: 0, columns: 0)
        try timed("kernel") { gram = try kernel.matrices(x, kinds: [.ntk], as: Double.self, on: executor).ntk ?? gram }
        let whole = try timed("fit") {
            _ = try KernelRidgeRegression(inPlace: gram.copy(), targets: y, options: RegressionOptions(ridge: .fixed(1e-3)), on: executor)
        }
        _ = try timed("fit in mixed precision") {
            _ = try KernelRidgeRegression(
                inPlace: gram.copy(), targets: y, options: RegressionOptions(ridge: .fixed(1e-3), isComplete: false, needsFactor: false), on: executor
            )
        }
        let diagonal = gram.diagonal
        var norm = 0.0
        try timed("norm") { norm = try gram.symmetricOneNorm(on: executor) }
        gram.addToDiagonal(1e-3)
        var cholesky: Cholesky<Double>?
        try timed("Cholesky") { cholesky = try Cholesky(inPlace: gram, norm: norm, on: executor) }
        guard let cholesky else { return }
        timed("condition") { _ = cholesky.reciprocalCondition }
        var solution = y
        try timed("solve") { solution = try cholesky.solve(y, on: executor) }
        try timed("residual") { _ = try gram.residual(y, solution, diagonal: diagonal, shifts: [Double](repeating: 1e-3, count: n), on: executor) }
        try timed("inverse diagonal") { _ = try cholesky.inverseDiagonal(on: executor) }
        gram.mirrorUpperHalf()
        gram.storeDiagonal(diagonal.map { $0 + 1 })
        openblas_set_num_threads(Int32(ProcessInfo.processInfo.activeProcessorCount))
        let lapack = timed("dpotrf on all cores") {
            var (order, info) = (Int32(n), Int32(0))
            unsafe dpotrf_("U", &order, gram.base, &order, &info)
        }
        openblas_set_num_threads(1)
        print("| fit / dpotrf | \(String(format: "%.2f", whole / lapack)) |")
    }

    @discardableResult
    private static func timed(_ name: String, _ body: () throws -> Void) rethrows -> Double {
        let start = DispatchTime.now().uptimeNanoseconds
        try body()
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
        print("| \(name) | \(String(format: "%.2f", seconds)) |")
        return seconds
    }
}
