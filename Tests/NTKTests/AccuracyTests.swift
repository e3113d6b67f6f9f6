import Foundation
import LinearAlgebra
import NTK
import Testing

/// Kernels of fully-connected networks against 60-digit arithmetic, for pairs from far apart to nearly coincident, collinear and antipodal.
struct AccuracyTests {
    struct Golden: Decodable {
        struct Case: Decodable {
            struct MLP: Decodable {
                var depth: Int
                var activation: String
                var wStd: Double
                var bStd: Double?
            }
            struct Diagonal<Value: Decodable>: Decodable {
                var nngp: Value
                var ntk: Value
            }
            var architecture: MLP
            var x1: [[Double]]
            var x2: [[Double]]
            var nngp: [String]
            var ntk: [String]
            var diagonalX1: Diagonal<String>
            var diagonalX2: Diagonal<[String]>
        }
        var cases: [Case]
    }

    static func load() throws -> [Golden.Case] {
        let url = try #require(Bundle.module.url(forResource: "Golden/accuracy", withExtension: "json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Golden.self, from: Data(contentsOf: url)).cases
    }

    /// Largest |error| / √(K_ii K_jj) of both kernels.
    static func worst<Element: KernelScalar>(_ golden: Golden.Case, as _: Element.Type) throws -> (nngp: Double, ntk: Double) {
        let architecture = golden.architecture
        let kernel = try AnalyticKernel(
            .mlp(
                depth: architecture.depth, activation: architecture.activation == "relu" ? .relu : .erf, weightStd: architecture.wStd,
                biasStd: architecture.bStd),
            features: golden.x1[0].count)
        let x1 = Matrix(rows: 1, columns: golden.x1[0].count, golden.x1[0])
        let x2 = Matrix(rows: golden.x2.count, columns: golden.x1[0].count, golden.x2.flatMap { $0 })
        let computed: Kernels<Matrix<Element>> = try kernel.matrices(x1, x2, kinds: [.nngp, .ntk], as: Element.self)
        func worst(_ matrix: Matrix<Element>?, _ expected: [String], _ own: String, _ others: [String]) throws -> Double {
            let matrix = try #require(matrix)
            var worst = 0.0
            for (column, digits) in expected.enumerated() {
                let scale = try (#require(Double(own)) * #require(Double(others[column]))).squareRoot()
                worst = try max(worst, abs(Double(matrix[0, column]) - #require(Double(digits))) / scale)
            }
            return worst
        }
        return (
            try worst(computed.nngp, golden.nngp, golden.diagonalX1.nngp, golden.diagonalX2.nngp),
            try worst(computed.ntk, golden.ntk, golden.diagonalX1.ntk, golden.diagonalX2.ntk)
        )
    }

    @Test func float64() throws {
        var summary: [String: Double] = [:]
        for golden in try Self.load() {
            let architecture = golden.architecture
            let bound = architecture.activation == "relu" && architecture.depth <= 10 ? 1e-14 : 1e-13
            let worst = try Self.worst(golden, as: Double.self)
            #expect(worst.nngp <= bound && worst.ntk <= bound, "\(architecture): \(worst)")
            let name = "float64 \(architecture.activation), depth \(architecture.depth <= 10 ? "<= 10" : "30")"
            summary[name] = max(summary[name] ?? 0, worst.nngp, worst.ntk)
        }
        Self.report(summary)
    }

    @Test func float32() throws {
        var summary: [String: Double] = [:]
        for golden in try Self.load() where golden.architecture.depth <= 10 {
            let worst = try Self.worst(golden, as: Float.self)
            #expect(worst.nngp <= 1e-6 && worst.ntk <= 1e-6, "\(golden.architecture): \(worst)")
            let name = "float32 \(golden.architecture.activation), depth <= 10"
            summary[name] = max(summary[name] ?? 0, worst.nngp, worst.ntk)
        }
        Self.report(summary)
    }

    /// For Benchmarks/RESULTS.md.
    static func report(_ summary: [String: Double]) {
        for (name, worst) in summary.sorted(by: { $0.key < $1.key }) { print("largest error, \(name): \(worst)") }
    }
}
