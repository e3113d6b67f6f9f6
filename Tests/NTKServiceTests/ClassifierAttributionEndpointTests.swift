import Foundation
import NTKService
import TensorFormats
import Testing

/// Attributions of networks against kernels and outputs that are asked for by themselves.
struct ClassifierAttributionEndpointTests {
    let client = ServiceClient()
    private static let x = AttributionEndpointTests.x
    private static let test = AttributionEndpointTests.test
    private static let labels = [0, 2, 1, 1, 0, 2]

    private static func network(_ seed: Int) -> String {
        #"""
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":6,"b_std":0.3,"w_std":1.5},{"type":"tanh"},{"type":"dense","width":3}]},
         "initialization":{"seed":\#(seed)}}
        """#
    }

    private func array(_ path: String, _ request: String, _ field: String) async throws -> [Double] {
        let answer = try await client.post(path, request)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.array(field).elements
    }

    private func logits(_ network: String, _ x: [[Double]]) async throws -> [[Double]] {
        let all = try await array("/v1/network-outputs", #"{"network":\#(network),"x":\#(x)}"#, "outputs")
        return (0..<x.count).map { Array(all[$0 * 3..<$0 * 3 + 3]) }
    }

    private func odds(_ logits: [Double], _ own: Int) -> [Double] {
        let others = (0..<3).filter { $0 != own }
        let sum = others.reduce(0) { $0 + exp(logits[$1]) }
        return (0..<3).map { $0 == own ? 1 : -exp(logits[$0]) / sum }
    }

    /// Σ_ab g_ia Θ_ij,ab h_jb.
    private func scalar(_ network: String, _ x1: [[Double]], _ x2: [[Double]], _ g: [[Double]], _ h: [[Double]]) async throws -> [[Double]] {
        let full = try await array("/v1/empirical-kernels", #"{"network":\#(network),"x1":\#(x1),"x2":\#(x2),"outputs":"full"}"#, "ntk")
        return (0..<x1.count).map { i in
            (0..<x2.count).map { j in
                var sum = 0.0
                for a in 0..<3 { for b in 0..<3 { sum += g[i][a] * full[((i * x2.count + j) * 3 + a) * 3 + b] * h[j][b] } }
                return sum
            }
        }
    }

    @Test func trakIsRegressionWithTheKernelOfLogOdds() async throws {
        let testLabels = [1, 2]
        var maps = [[Double]](repeating: [Double](repeating: 0, count: 6), count: 2)
        var doubts = [Double](repeating: 0, count: 6)
        for seed in [4, 5] {
            let network = Self.network(seed)
            let (train, test) = (try await logits(network, Self.x), try await logits(network, Self.test))
            let g = zip(train, Self.labels).map(odds)
            let kernel = try await scalar(network, Self.x, Self.x, g, g)
            let cross = try await scalar(network, Self.test, Self.x, zip(test, testLabels).map(odds), g)
            let matrices = #"{"matrices":{"train_train":\#(kernel),"test_train":\#(cross)}}"#
            let weights = try await array(
                "/v1/attributions", #"{"kernel":\#(matrices),"y_train":[0,0,0,0,0,1],"ridge":0.1,"kind":"weights"}"#, "weights")
            for t in 0..<2 { for i in 0..<6 { maps[t][i] += weights[t * 6 + i] / 2 } }
            for (i, own) in Self.labels.enumerated() {
                let all = train[i].map { exp($0) }
                doubts[i] += (1 - all[own] / all.reduce(0, +)) / 2
            }
        }
        let found = try await array(
            "/v1/attributions",
            #"""
            {"networks":[\#(Self.network(4)),\#(Self.network(5))],"x_train":\#(Self.x),"labels":\#(Self.labels),"x_test":\#(Self.test),
             "labels_test":\#(testLabels),"ridge":0.1}
            """#, "influence")
        // Equal points stand apart here.
        for t in 0..<2 { for i in [0, 1, 4, 5] { #expect(abs(found[t * 6 + i] - maps[t][i] * doubts[i]) < 1e-11) } }
        #expect(abs(found[2] + found[3] - (maps[0][2] + maps[0][3]) * doubts[2]) < 1e-11)
    }

    @Test func influenceFunctionsSeeTheLoss() async throws {
        let request = #"""
            "networks":[\#(Self.network(4))],"x_train":\#(Self.x),"labels":\#(Self.labels),"x_test":\#(Self.x),"labels_test":\#(Self.labels),
            "kind":"gauss_newton","ridge":0.01
            """#
        let influence = try await array("/v1/attributions", "{\(request)}", "influence")
        for i in 0..<6 {
            // A positive definite form of gradients.
            #expect(influence[i * 7] > 0)
            for j in 0..<6 { #expect(abs(influence[i * 6 + j] - influence[j * 6 + i]) < 1e-9) }
        }
        let top = try await client.post("/v1/attributions", #"{\#(request),"top":1}"#)
        let (indices, values) = (try top.array("indices").elements, try top.array("influence").elements)
        for i in 0..<6 { #expect(influence[i * 6 + Int(indices[i])] == values[i]) }
    }

    @Test(arguments: [
        (#""kind":"gauss_newton""#, "/ridge"), (#""kind":"self""#, "/kind"), (#""labels_test":[3,0]"#, "/labels_test/0"),
        (#""labels_test":[0]"#, "/labels_test"), (#""y_train":[1,2,3,4,5,6]"#, "/y_train"),
    ])
    func whatMeansNothingIsRefused(field: String, pointer: String) async throws {
        let answer = try await client.post(
            "/v1/attributions",
            #"{"networks":[\#(Self.network(4))],"x_train":\#(Self.x),"labels":\#(Self.labels),"x_test":\#(Self.test),\#(field)}"#)
        #expect(answer.status == 422)
        #expect(try answer.pointers == [pointer], "\(answer.text)")
    }
}
