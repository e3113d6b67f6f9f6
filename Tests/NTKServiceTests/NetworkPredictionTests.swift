import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// A finite network as a kernel source: linearized at its weights and trained to the end.
struct NetworkPredictionTests {
    static let train: [[Double]] = [[0.5, 1], [-1, 0.3], [0.2, -0.7], [1.5, 0.4]]
    static let test: [[Double]] = [[0.1, 0.2], [-0.6, 1.1]]
    let client = ServiceClient()

    private static func network(_ outputs: Int) -> String {
        """
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":40,"b_std":0.3,"w_std":1.5},{"type":"tanh"},
         {"type":"dense","width":\(outputs),"b_std":0.1}]},"initialization":{"seed":4}}
        """
    }

    private func array(_ path: String, _ request: String, _ field: String) async throws -> [Double] {
        let answer = try await client.post(path, request)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.array(field).elements
    }

    private func outputs(_ x: [[Double]], _ k: Int) async throws -> [Double] {
        try await array("/v1/network-outputs", "{\"network\":\(Self.network(k)),\"x\":\(x)}", "outputs")
    }

    /// The kernel of all outputs of all points, [n1 · k, n2 · k].
    private func joint(_ x1: [[Double]], _ x2: [[Double]]?, _ k: Int) async throws -> [[Double]] {
        let second = x2.map { ",\"x2\":\($0)" } ?? ""
        let full = try await array(
            "/v1/empirical-kernels", "{\"network\":\(Self.network(k)),\"x1\":\(x1)\(second),\"outputs\":\"full\"}", "ntk")
        let columns = (x2 ?? x1).count
        return (0..<x1.count * k).map { row in
            (0..<columns * k).map { column in
                let pair = (row / k) * columns + column / k
                return full[(pair * k + row % k) * k + column % k]
            }
        }
    }

    @Test(arguments: [1, 2]) func predictionsAreThoseOfItsKernelFromItsOutputs(_ k: Int) async throws {
        func target(_ row: Int, _ output: Int) -> Double { Double((row * 3 + output * 5) % 4) - 1.5 }
        let y: [[Double]] = (0..<Self.train.count).map { row in (0..<k).map { target(row, $0) } }
        let start = try await outputs(Self.train, k)
        let first = try await outputs(Self.test, k)
        let moved: [Double] = zip(y.flatMap { $0 }, start).map { $0.0 - $0.1 }
        let trainTrain = try await joint(Self.train, nil, k)
        let testTrain = try await joint(Self.test, Self.train, k)
        let testTest = try await joint(Self.test, nil, k)
        let oracle = """
            {"kernel":{"matrices":{"train_train":\(trainTrain),"test_train":\(testTrain),"test_test":\(testTest)}},"y_train":\(moved),
             "ridge":0.01,"covariance":"full"}
            """
        let change = try await array("/v1/predictions", oracle, "mean")
        let covariance = try await array("/v1/predictions", oracle, "covariance")
        let request = """
            {"kernel":{"network":\(Self.network(k))},"x_train":\(Self.train),"y_train":\(y),"x_test":\(Self.test),"ridge":0.01,
             "covariance":
            """
        let answer = try await client.post("/v1/predictions", request + "\"full\"}")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.array("mean").shape == [2, k])
        let mean: [Double] = try answer.array("mean").elements
        for index in mean.indices { #expect(abs(mean[index] - change[index] - first[index]) < 1e-11) }
        #expect(try answer.array("covariance").elements == covariance)
        let variance = try await client.post("/v1/predictions", request + "\"diagonal\"}").array("variance")
        #expect(variance.shape == [2, k])
        for (index, value) in variance.elements.enumerated() { #expect(abs(value - covariance[index * (2 * k + 1)]) < 1e-12) }
    }

    @Test func equalPointsAndClassesAndDynamics() async throws {
        let twice = Self.train + [Self.train[1]]
        let once = try await array(
            "/v1/predictions",
            "{\"kernel\":{\"network\":\(Self.network(2))},\"x_train\":\(Self.train),\"y_train\":[[1,0],[0,1],[2,1],[0,0]],\"x_test\":\(Self.test)}",
            "mean")
        let merged = try await array(
            "/v1/predictions",
            "{\"kernel\":{\"network\":\(Self.network(2))},\"x_train\":\(twice),\"y_train\":[[1,0],[0,1],[2,1],[0,0],[0,1]],\"x_test\":\(Self.test)}",
            "mean")
        for (value, expected) in zip(merged, once) { #expect(abs(value - expected) < 1e-9) }
        let end = try await client.post(
            "/v1/dynamics",
            """
            {"kernel":{"network":\(Self.network(2))},"x_train":\(Self.train),"y_train":[[1,0],[0,1],[2,1],[0,0]],"x_test":\(Self.test),
             "times":[0,1e9]}
            """)
        #expect(end.status == 200, "\(end.text)")
        let start = try await outputs(Self.test, 2)
        let means = try end.array("mean")
        #expect(means.shape == [2, 2, 2])
        for (value, expected) in zip(means.elements, start + once) { #expect(abs(value - expected) < 1e-6) }
        let classes = try await client.post(
            "/v1/predictions",
            "{\"kernel\":{\"network\":\(Self.network(2))},\"x_train\":\(Self.train),\"labels\":[\"a\",\"b\",\"b\",\"a\"],\"x_test\":\(Self.train)}")
        #expect(classes.status == 200 && classes.text.contains(#""labels":["a","b","b","a"]"#), "\(classes.text)")
        let wrong = try await client.post(
            "/v1/predictions", "{\"kernel\":{\"network\":\(Self.network(2))},\"x_train\":\(Self.train),\"y_train\":[1,2,3,4],\"x_test\":\(Self.test)}"
        )
        #expect(try wrong.pointers == ["/y_train"])
        let spectrum = try await array(
            "/v1/spectra", "{\"kernel\":{\"network\":\(Self.network(2))},\"x\":\(Self.train),\"y\":[[1,0],[0,1],[2,1],[0,0]]}", "eigenvalues")
        #expect(spectrum.count == 8)
    }

    /// A stored regressor keeps its network's weights, and another server on the directory predicts the same, bit for bit.
    @Test func aRegressorKeepsTheNetwork() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let given = """
            {"architecture":{"type":"serial","layers":[{"type":"dense","width":2},{"type":"tanh"},{"type":"dense","width":2}]},
             "parameters":{"0.weight":[[1,0.5],[-0.3,2]],"0.bias":[0.1,0.2],"2.weight":[[1,-1],[0.5,2]]}}
            """
        for network in [Self.network(2), given] {
            let fields = "\"kernel\":{\"network\":\(network)},\"x_train\":\(Self.train),\"y_train\":[[1,0],[0,1],[2,1],[0,0]],\"ridge\":0.01"
            let made = try await scratch.server().post("/v1/regressors", "{\(fields)}")
            #expect(made.status == 201, "\(made.text)")
            let id = try RegressorEndpointTests.id(made)
            let later = try scratch.server(cacheBytes: 0)
            for covariance in ["none", "diagonal", "full"] {
                let own = try await later.post("/v1/regressors/\(id)/predictions", "{\"x\":\(Self.test),\"covariance\":\"\(covariance)\"}")
                let direct = try await client.post("/v1/predictions", "{\(fields),\"x_test\":\(Self.test),\"covariance\":\"\(covariance)\"}")
                #expect(own.status == 200 && direct.text.hasPrefix(own.text.dropLast()), "\(own.text) \(direct.text)")
            }
        }
    }
}
