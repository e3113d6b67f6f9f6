import COpenBLAS
import LinearAlgebra
import NTK

/// The analytic kernel of n = 2000, d = 784, depth 3 beside one full GEMM of the inputs on two threads of OpenBLAS.
enum KernelBenchmark {
    static func run() throws {
        let (n, d) = (2_000, 784)
        var generator = FixedGenerator()
        let x = Matrix(rows: n, columns: d, (0..<n * d).map { _ in Double.random(in: -1...1, using: &generator) })
        let kernel = try AnalyticKernel(.mlp(depth: 3, weightStd: 2.0.squareRoot()), features: d)
        let single = Matrix(rows: n, columns: d, x.elements.map { Float($0) })
        let product = Matrix<Double>(zeroRows: n, columns: n)
        let singleProduct = Matrix<Float>(zeroRows: n, columns: n)

        let order = (Int32(n), Int32(d))
        let dgemm = withAllThreads {
            medianSeconds {
                unsafe cblas_dgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, order.0, order.0, order.1, 1, x.base, order.1, x.base, order.1, 0, product.base, order.0)
            }
        }
        let sgemm = withAllThreads {
            medianSeconds {
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, order.0, order.0, order.1, 1, single.base, order.1, single.base, order.1, 0,
                    singleProduct.base, order.0)
            }
        }
        let double = try medianSeconds { _ = try kernel.matrices(x, kinds: [.ntk], as: Double.self) }
        let float = try medianSeconds { _ = try kernel.matrices(x, kinds: [.ntk], as: Float.self) }
        print("| kernel, n = 2000, d = 784, relu, depth 3 | compute | limit | ratio |\n|---|---|---|---|")
        row("float64", double, "dgemm", dgemm)
        row("float32", float, "sgemm", sgemm)
    }

    /// Runs `body` with two OpenBLAS threads; the library itself uses one a tile.
    private static func withAllThreads(_ body: () throws -> Double) rethrows -> Double {
        openblas_set_num_threads(2)
        defer { openblas_set_num_threads(1) }
        return try body()
    }
}
