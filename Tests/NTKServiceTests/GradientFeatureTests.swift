import HTTPTypes
import TensorFormats
import Testing

/// `POST /v1/gradient-features` of networks from files and of the grammar, against their tangent kernels.
struct GradientFeatureTests {
    private let client = ServiceClient()
    /// The network of `ModelWriter.small`.
    private static let grammar = """
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":3},{"type":"tanh"},{"type":"dense","width":2}]},
         "parameters":{"0.weight":[[1,0],[0,1],[1,-1]],"0.bias":[0.5,-0.5,0],"2.weight":[[1,2,3],[-1,0,1]]}}
        """
    private static let x = "[[0.2,0.1],[-0.1,0.3],[0.7,-0.4]]"

    private func file(_ path: String, _ fields: String) async throws -> ServiceClient.Answer {
        try await client.post("/v1/\(path)", "{\(fields)}", [("network.onnx", ModelWriter.small)])
    }

    private func grammar(_ path: String, _ fields: String) async throws -> ServiceClient.Answer {
        try await client.post("/v1/\(path)", "{\"network\":\(Self.grammar),\(fields)}")
    }

    private func close(_ one: [Double], _ other: [Double], _ tolerance: Double = 1e-13) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }

    /// φ φᵀ.
    private func products(_ features: (shape: [Int], elements: [Double])) -> [Double] {
        let (n, width) = (features.shape[0], features.shape[1])
        let elements = features.elements
        return (0..<n).flatMap { i in (0..<n).map { j in (0..<width).reduce(0) { $0 + elements[i * width + $1] * elements[j * width + $1] } } }
    }

    @Test(arguments: [#"[0]"#, #"[1]"#, #"{"functional":"log_odds","labels1":[0,1,1]}"#, #"{"functional":"log_likelihood","labels1":[1,1,0]}"#])
    func gradientsMakeTheKernel(_ outputs: String) async throws {
        let fields = "\"x\":\(Self.x),\"outputs\":\(outputs),\"projection\":\"none\""
        let (own, other) = (try await file("gradient-features", fields), try await grammar("gradient-features", fields))
        #expect(own.status == 200 && other.status == 200, "\(own.text)\n\(other.text)")
        #expect(try close(Array(own.array("features").elements), Array(other.array("features").elements)))
        let kernel = try await file("empirical-kernels", "\"x1\":\(Self.x),\"outputs\":\(outputs)")
        #expect(try close(products(own.array("features")), Array(kernel.array("ntk").elements)))
        #expect(try own.array("shape").elements.map(Int.init) == [3, 15])
        #expect(own.text.contains(#""parameters":[{"name":"W","shape":[3,2]},{"name":"b","shape":[3]},{"name":"V","shape":[2,3]}]"#))
    }

    @Test(arguments: ["rademacher", "gaussian"])
    func projectionsMakeItOnAverage(_ projection: String) async throws {
        let fields = "\"x\":\(Self.x),\"outputs\":[0],\"projection\":\"\(projection)\",\"dimension\":16384"
        let kernel = try await grammar("empirical-kernels", "\"x1\":\(Self.x),\"outputs\":[0]").array("ntk").elements
        for answer in [try await file("gradient-features", fields), try await grammar("gradient-features", fields)] {
            let features = try answer.array("features")
            #expect(features.shape == [3, 16384])
            let found = products(features)
            for i in 0..<3 {
                for j in 0..<3 {
                    let deviation = ((kernel[i * 4] * kernel[j * 4] + kernel[i * 3 + j] * kernel[i * 3 + j]) / 16384).squareRoot()
                    #expect(abs(found[i * 3 + j] - kernel[i * 3 + j]) < 5 * deviation)
                }
            }
        }
    }

    /// What a point's features are depends on nothing but the point, the network, the seed and the parameters.
    @Test func featuresAreFunctionsOfTheirPoints() async throws {
        let rest = #""outputs":[1],"dimension":200,"seed":4"#
        for ask in [file, grammar] {
            let all = try await ask("gradient-features", "\"x\":\(Self.x),\(rest)").array("features").elements
            let one = try await ask("gradient-features", "\"x\":[[0.7,-0.4]],\(rest)").array("features").elements
            #expect(close(Array(one), Array(all[400...])))
            let other = try await ask("gradient-features", "\"x\":[[0.7,-0.4]],\"outputs\":[1],\"dimension\":200,\"seed\":5").array("features")
            #expect(!close(Array(one), Array(other.elements), 0.1))
            let single = try await ask("gradient-features", "\"x\":\(Self.x),\(rest),\"precision\":\"float32\"").array("features").elements
            #expect(close(Array(single), Array(all), 1e-5))
        }
        // Those of several parameters are the sum of those of each.
        var sum = [Double](repeating: 0, count: 600)
        for name in ["W", "b", "V"] {
            let part = try await file("gradient-features", "\"x\":\(Self.x),\(rest),\"include\":[\"\(name)\"]").array("features").elements
            sum = zip(sum, part).map { $0 + $1 }
        }
        #expect(try await close(sum, Array(file("gradient-features", "\"x\":\(Self.x),\(rest)").array("features").elements)))
    }

    @Test func asAnArrayAndAnEstimate() async throws {
        let json = "{\"network\":\(Self.grammar),\"x\":\(Self.x),\"outputs\":[0],\"dimension\":8}"
        let array = try await client.post("/v1/gradient-features?format=npy", json)
        #expect(try array.status == 200 && Npy.read(array.body[...]).shape == [3, 8])
        let estimate = try await client.post("/v1/gradient-features?estimate_only=true", json)
        #expect(estimate.status == 200 && estimate.text.contains("peak_bytes"))
    }

    @Test(arguments: [
        (#""x":\#(x)"#, "/outputs"), (#""x":\#(x),"outputs":[0,1]"#, "/outputs"), (#""x":\#(x),"outputs":"sum""#, "/outputs"),
        (#""x":\#(x),"outputs":[2]"#, "/outputs"), (#""x":\#(x),"outputs":[0],"projection":"none","dimension":3"#, "/dimension"),
        (#""x":\#(x),"outputs":[0],"dimension":0"#, "/dimension"), (#""x":\#(x),"outputs":[0],"projection":"signs""#, "/projection"),
        (#""x":\#(x),"outputs":{"functional":"log_odds","labels1":[0,1,2]}"#, "/outputs/labels1/2"),
        (#""x":\#(x),"outputs":{"functional":"log_odds","labels1":[0,1]}"#, "/outputs/labels1"),
        (#""x":\#(x),"outputs":[0],"include":["nothing"]"#, "/include/0"),
    ])
    func refuses(_ fields: String, _ pointer: String) async throws {
        for ask in [file, grammar] {
            let answer = try await ask("gradient-features", fields)
            #expect(try answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
        }
    }
}
