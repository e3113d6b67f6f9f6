import COpenBLAS
import Foundation
import LinearAlgebra
import NTK

/// Empirical kernels in float32: seconds of the best of some runs as JSON lines, which `Benchmarks/empirical.py` puts beside the peer's.
enum EmpiricalBenchmark {
    static func run() throws {
        try report("mlp", dense([512, 512, 10]), [784], points: 128, .full)
        try report("cnn full", cnn(), [16, 16, 3], points: 64, .full)
        try report("cnn trace", cnn(), [16, 16, 3], points: 64, .mean)
        let wide = dense([1024, 1024, 1024, 10])
        try report("trace", wide, [784], points: 1_000, .mean)
        print("{\"name\":\"trace, its GEMMs\",\"seconds\":\(gemms([784, 1024, 1024, 1024, 10], points: 1_000))}")
    }

    private static func dense(_ widths: [Int]) -> Layer {
        .serial(
            widths.enumerated().flatMap { index, width -> [Layer] in
                let layer = Layer.dense(Affine(width: width, biasStd: 0.1, parameterization: .standard))
                return index < widths.count - 1 ? [layer, .relu] : [layer]
            })
    }

    private static func cnn() -> Layer {
        let conv = Layer.convolution(
            Convolution(filterShape: [3, 3], padding: .same, affine: Affine(width: 32, biasStd: 0.1, parameterization: .standard)))
        return .serial([
            conv, .relu, conv, .relu, conv, .relu, .globalPool(.average), .dense(Affine(width: 10, biasStd: 0.1, parameterization: .standard)),
        ])
    }

    private static func report(_ name: String, _ layer: Layer, _ shape: [Int], points: Int, _ outputs: OutputSelection) throws {
        var generator = FixedGenerator()
        let features = shape.reduce(1, *)
        let x = Matrix(rows: points, columns: features, (0..<points * features).map { _ in Double.random(in: -1...1, using: &generator) })
        let network = try FiniteNetwork(layer, inputShape: shape, given: nil)
        let kernel = EmpiricalKernel(network, try network.drawParameters(seed: 1))
        let cost = kernel.cost(n1: points, n2: nil, outputs: outputs, as: Float.self)
        let seconds = try best { _ = try kernel.ntk(x, outputs: outputs, as: Float.self) }
        let algorithms = cost.algorithms.map { "\"\($0.parameter) \($0.algorithm.rawValue)\"" }.joined(separator: ",")
        print("{\"name\":\"\(name)\",\"seconds\":\(seconds),\"operations\":\(cost.operations),\"algorithms\":[\(algorithms)]}")
    }

    private static func best(_ body: () throws -> Void) rethrows -> Double {
        try body()
        var least = Double.infinity
        for _ in 0..<12 {
            let start = DispatchTime.now().uptimeNanoseconds
            try body()
            least = min(least, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
        }
        return least
    }

    /// The products that a trace needs, by OpenBLAS on two threads: forward, backward for ten outputs through the hidden layers, and for each
    /// layer half of the Gram matrices of its inputs and of its derivatives.
    private static func gemms(_ widths: [Int], points: Int) -> Double {
        openblas_set_num_threads(2)
        defer { openblas_set_num_threads(1) }
        let outputs = widths[widths.count - 1]
        let longest = points * outputs * (widths.max() ?? 1)
        let (a, b, c) = (ones(longest), ones(longest), ones(max(longest, points * points)))
        func product(_ m: Int, _ n: Int, _ k: Int, transposed: Bool) {
            unsafe cblas_sgemm(
                CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a.base, Int32(k), b.base,
                Int32(transposed ? k : n), 0, c.base, Int32(n))
        }
        func gram(_ k: Int) {
            unsafe cblas_ssyrk(
                CblasRowMajor, CblasLower, CblasNoTrans, Int32(points), Int32(k), 1, a.base, Int32(k), 0, c.base, Int32(points))
        }
        return best {
            for layer in 1..<widths.count { product(points, widths[layer], widths[layer - 1], transposed: true) }
            for layer in 2..<widths.count - 1 { product(points * outputs, widths[layer - 1], widths[layer], transposed: false) }
            for layer in 1..<widths.count {
                gram(widths[layer - 1])
                if layer < widths.count - 1 { gram(outputs * widths[layer]) }
            }
        }
    }

    private static func ones(_ count: Int) -> Storage<Float> {
        let storage = Storage<Float>(count: count)
        unsafe storage.base.initialize(repeating: 1, count: count)
        return storage
    }
}
