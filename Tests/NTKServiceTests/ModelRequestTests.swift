import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// What requests say of networks from model files, and what they are told.
struct ModelRequestTests {
    private let client = ServiceClient()
    private static let grammar = """
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":3},{"type":"tanh"},{"type":"dense","width":2}]},
         "parameters":{"0.weight":[[1,0],[0,1],[1,-1]],"0.bias":[0.5,-0.5,0],"2.weight":[[1,2,3],[-1,0,1]]}}
        """
    private static let x = "[[0.2,0.1],[-0.1,0.3],[0.7,-0.4]]"

    private func kernel(_ fields: String, x: String = x, model: [UInt8] = ModelWriter.small) async throws -> ServiceClient.Answer {
        try await client.post("/v1/empirical-kernels", "{\"x1\":\(x)\(fields)}", [("network.onnx", model)])
    }

    private func close(_ one: [Double], _ other: [Double], _ tolerance: Double = 1e-13) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }

    // MARK: Stored networks

    @Test func aNetworkIsStoredDescribedListedAndDeleted() async throws {
        let stored = try await client.postModel(ModelWriter.small, name: "small%20one")
        #expect(stored.status == 201)
        let id = try stored.id
        #expect(stored.fields[.location] == "/v1/networks/\(id)")
        #expect(
            stored.text == """
                {"id":"\(id)","format":"onnx","name":"small one","opset":18,"bytes":\(ModelWriter.small.count),\
                "inputs":[{"name":"x","shape":[2],"dtype":"float32"}],\
                "outputs":[{"name":"y","shape":[2],"dtype":"float32"},{"name":"h","shape":[3],"dtype":"float32"}],\
                "parameters":[{"name":"W","shape":[3,2],"dtype":"float32","differentiable":true},\
                {"name":"b","shape":[3],"dtype":"float32","differentiable":true},{"name":"V","shape":[2,3],"dtype":"float32","differentiable":true}],\
                "parameter_count":15,"operators":{"Gemm":2,"Tanh":1}}
                """)
        // The same file is the same network, under the name that it had first.
        let again = try await client.postModel(ModelWriter.small, name: "other")
        #expect(again.status == 200 && again.text == stored.text)
        let part = ModelFixtures.form([("network.onnx", ModelWriter.small)])
        #expect(try await client.send(.post, "/v1/networks", part.fields, body: part.body).id == id)
        #expect(try await client.send(.get, "/v1/networks/\(id)").text == stored.text)
        #expect(try await client.send(.get, "/v1/networks").text == "{\"networks\":[\(stored.text)],\"next\":null}")
        #expect(try await client.send(.delete, "/v1/networks/\(id)").status == 204)
        #expect(try await client.send(.get, "/v1/networks/\(id)").status == 404)
    }

    @Test func aNetworkOutlivesTheServer() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = ServiceClient(networks: try NetworkStore(directory: path))
        let stored = try await first.postModel(ModelWriter.small, name: "a")
        let id = try stored.id
        let second = ServiceClient(networks: try NetworkStore(directory: path))
        #expect(try await second.send(.get, "/v1/networks/\(id)").text == stored.text)
        let kernel = try await second.post("/v1/empirical-kernels", "{\"network\":\"\(id)\",\"x1\":\(Self.x)}")
        #expect(try await kernel.array("ntk").elements == self.kernel("").array("ntk").elements)
        // One byte of the weights is another: that is seen.
        let file = "\(path)/\(id.dropFirst(4))/model.onnx"
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: file))
        let third = ServiceClient(networks: try NetworkStore(directory: path))
        let damaged = try await third.post("/v1/empirical-kernels", "{\"network\":\"\(id)\",\"x1\":\(Self.x)}")
        #expect(damaged.status == 500 && damaged.text.contains("damaged"), "\(damaged.text)")
    }

    // MARK: Kernels

    /// The same network by the grammar of architectures, in everything that can be asked of both.
    @Test(arguments: ["", #","outputs":"sum""#, #","outputs":"diagonal""#, #","outputs":"full""#, #","outputs":[1]"#, #","x2":[[1,2]]"#])
    func aFileIsWhatTheGrammarSays(_ fields: String) async throws {
        for kinds in [#"["ntk"]"#, #"["nngp","ntk"]"#] {
            let fields = "\(fields),\"kinds\":\(kinds)"
            let file = try await kernel(fields)
            let other = try await client.post("/v1/empirical-kernels", "{\"network\":\(Self.grammar),\"x1\":\(Self.x)\(fields)}")
            #expect(file.status == 200, "\(file.text)")
            let (one, two) = (try file.array("ntk"), try other.array("ntk"))
            #expect(one.shape == two.shape && close(one.elements, two.elements))
            guard kinds.contains("nngp") else { continue }
            let (nngp, same) = (try file.array("nngp"), try other.array("nngp"))
            #expect(nngp.shape == same.shape && close(nngp.elements, same.elements))
        }
    }

    @Test func sharesAndChosenParameters() async throws {
        let whole = try await kernel(#","outputs":"sum","layerwise":true"#)
        guard case .object(let shares)? = try whole.object["layerwise"], case .object(let algorithms)? = try whole.object["algorithms"] else {
            Issue.record("\(whole.text)")
            return
        }
        #expect(shares.members.map(\.key) == ["W", "b", "V"] && algorithms.members.map(\.key) == ["W", "b", "V"])
        var sum = [Double](repeating: 0, count: 9)
        for share in shares.members { for (index, value) in try share.value.numericArray(at: "").elements.enumerated() { sum[index] += value } }
        #expect(try close(sum, whole.array("ntk").elements))
        #expect(try close(sum, await kernel(#","outputs":"sum""#).array("ntk").elements))
        let bias = try await kernel(#","outputs":"sum","include":["b"]"#).array("ntk").elements
        #expect(try close(bias, Array(#require(shares["b"]).numericArray(at: "").elements)))
        #expect(try await kernel(#","outputs":"sum","exclude":["W","V*"]"#).array("ntk").elements == bias)
        #expect(try await kernel(#","include":["Q*"]"#).pointers == ["/include/0"])
        #expect(try await kernel(#","exclude":["*"]"#).pointers == ["/exclude"])
        // The grammar's networks take the same.
        let other = try await client.post(
            "/v1/empirical-kernels", "{\"network\":\(Self.grammar),\"x1\":\(Self.x),\"outputs\":\"sum\",\"exclude\":[\"*.weight\"]}")
        #expect(try close(other.array("ntk").elements, bias))
    }

    /// log_likelihood: the rows of the softmax's derivative around the full kernel.
    @Test func functionalsOfLabels() async throws {
        let full = try await kernel(#","outputs":"full""#).array("ntk").elements
        let outputs = try await client.post("/v1/network-outputs", "{\"x\":\(Self.x)}", [("network.onnx", ModelWriter.small)]).array("outputs")
            .elements
        let labels = [0, 1, 1]
        func weights(_ point: Int, _ kind: String) -> [Double] {
            let e = [exp(outputs[2 * point]), exp(outputs[2 * point + 1])]
            return (0..<2).map { output in
                let own: Double = output == labels[point] ? 1 : 0
                return switch kind {
                case "label_logit": own
                case "log_likelihood": own - e[output] / (e[0] + e[1])
                // Of two classes log p/(1 − p) is the difference of the logits.
                default: 2 * own - 1
                }
            }
        }
        for kind in ["label_logit", "log_likelihood", "log_odds"] {
            let found = try await kernel(",\"outputs\":{\"functional\":\"\(kind)\",\"labels1\":[0,1,1]}")
            #expect(found.status == 200, "\(found.text)")
            var expected: [Double] = []
            for i in 0..<3 {
                for j in 0..<3 {
                    var sum = 0.0
                    for a in 0..<2 { for b in 0..<2 { sum += weights(i, kind)[a] * full[(i * 3 + j) * 4 + 2 * a + b] * weights(j, kind)[b] } }
                    expected.append(sum)
                }
            }
            #expect(try close(found.array("ntk").elements, expected))
        }
        let two = try await kernel(#","x2":[[1,2]],"outputs":{"functional":"log_odds","labels1":[0,1,1],"labels2":[1]}"#)
        #expect(try two.array("ntk").shape == [3, 1])
        #expect(try await kernel(#","outputs":{"functional":"log_odds","labels1":[0,1,2]}"#).pointers == ["/outputs/labels1/2"])
        #expect(try await kernel(#","outputs":{"functional":"log_odds","labels1":[0,1]}"#).pointers == ["/outputs/labels1"])
        #expect(try await kernel(#","x2":[[1,2]],"outputs":{"functional":"log_odds","labels1":[0,1,1]}"#).pointers == ["/outputs/labels2"])
    }

    @Test func aChosenOutputAndSinglePrecision() async throws {
        let hidden = try await kernel(#","output":"h","outputs":"full""#)
        #expect(try hidden.array("ntk").shape == [3, 3, 3, 3])
        #expect(try await kernel(#","output":"z""#).pointers == ["/output"])
        let (single, double) = (try await kernel(#","precision":"float32""#), try await kernel(""))
        #expect(try close(single.array("ntk").elements, double.array("ntk").elements, 1e-5))
        #expect(single.text.contains("\"precision\":\"float32\""))
        let npy = try await client.post("/v1/empirical-kernels?format=npy", "{\"x1\":\(Self.x)}", [("network.onnx", ModelWriter.small)])
        #expect(try Array(Npy.read(npy.body[...]).elements) == double.array("ntk").elements)
    }

    @Test func whatItCosts() async throws {
        let estimate = try await client.post(
            "/v1/empirical-kernels?estimate_only=true", "{\"x1\":\(Self.x)}", [("network.onnx", ModelWriter.small)])
        #expect(estimate.status == 200 && estimate.text.hasPrefix("{\"estimate\":{\"flops\":"), "\(estimate.text)")
        var limits = NTKService.Limits()
        limits.memoryBytes = 1 << 20
        let small = ServiceClient(limits: limits)
        let refused = try await small.post("/v1/empirical-kernels", "{\"x1\":\(Self.x)}", [("network.onnx", ModelWriter.small)])
        #expect(refused.status == 422 && refused.text.contains("/problems/over-limit"), "\(refused.text)")
    }

    // MARK: Inputs

    /// y[point] = E[id] where `mask` is true, and 0 elsewhere.
    private static let embedding = ModelWriter.model(
        ModelWriter.node("Gather", ["E", "ids"], ["e"]) + ModelWriter.node("Where", ["mask", "e", "zero"], ["y"])
            + ModelWriter.floats("E", [5, 2], (0..<10).map { Float($0) }) + ModelWriter.floats("zero", [1], [0])
            + ModelWriter.port(11, "ids", [nil], type: 7) + ModelWriter.port(11, "mask", [nil, 1], type: 9) + ModelWriter.port(12, "y", [nil, 2]))

    private func outputs(_ x: String) async throws -> ServiceClient.Answer {
        try await client.post("/v1/network-outputs", "{\"x\":\(x)}", [("network.onnx", Self.embedding)])
    }

    @Test func integersAndBooleans() async throws {
        let answer = try await outputs(#"{"ids":[4,0,1],"mask":[[true],[true],[false]]}"#)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.array("outputs").elements == [8, 9, 0, 1, 0, 0])
        #expect(try await outputs(#"{"ids":[4,0,1],"mask":[[1],[1],[0]]}"#).text == answer.text)
        // The token is out of the table: named, and no trap.
        let beyond = try await outputs(#"{"ids":[5,0,1],"mask":[[1],[1],[0]]}"#)
        #expect(beyond.status == 422)
        #expect(try beyond.pointers == ["/x"])
    }

    @Test(arguments: [
        (#"{"ids":[0.5,1],"mask":[[1],[1]]}"#, "/x/ids/0"), (#"{"ids":[0,9007199254740993],"mask":[[1],[1]]}"#, "/x/ids/1"),
        (#"{"ids":[0,1],"mask":[[1],[2]]}"#, "/x/mask/1/0"), (#"{"ids":[0,1],"mask":[[1]]}"#, "/x/mask"), (#"{"ids":[0,1]}"#, "/x/mask"),
        (#"{"ids":[0,null],"mask":[[1],[1]]}"#, "/x/ids"), (#"{"ids":[0],"mask":[[1]],"other":[1]}"#, "/x/other"), ("[0,1]", "/x"),
        (#"{"ids":[],"mask":[]}"#, "/x/ids"), (#"{"ids":[[0,1]],"mask":[[1]]}"#, "/x/ids"),
    ]) func pointsThatDoNotFit(_ x: String, _ pointer: String) async throws {
        let answer = try await outputs(x)
        #expect(answer.status == 422, "\(answer.text)")
        #expect(try answer.pointers == [pointer])
    }

    // MARK: Regression

    /// Predictions, dynamics and spectra of a file are those of the same network by the grammar.
    @Test(arguments: [
        (
            "/v1/predictions",
            #""x_train":[[0.2,0.1],[-0.1,0.3]],"y_train":[[1,0],[0,1]],"x_test":[[0.5,0.5]],"ridge":1e-3,"covariance":"diagonal""#, "mean"
        ),
        ("/v1/dynamics", #""x_train":[[0.2,0.1],[-0.1,0.3]],"y_train":[[1,0],[0,1]],"x_test":[[0.5,0.5]],"times":[1,5]"#, "mean"),
        ("/v1/spectra", #""x":[[0.2,0.1],[-0.1,0.3],[-0.1,0.3]]"#, "eigenvalues"),
    ]) func regression(_ path: String, _ fields: String, _ member: String) async throws {
        let file = try await client.post(path, "{\"kernel\":{\"kind\":\"ntk\"},\(fields)}", [("kernel.network.onnx", ModelWriter.small)])
        let grammar = try await client.post(path, "{\"kernel\":{\"network\":\(Self.grammar)},\(fields)}")
        #expect(file.status == 200, "\(file.text)")
        #expect(try close(file.array(member).elements, grammar.array(member).elements, 1e-10))
    }

    @Test func whatIsNotServedIsSaid() async throws {
        // Without a name, and with one: the node, its operator, and what is served.
        let strange = ModelWriter.model(
            ModelWriter.node("RoiAlign", ["x", "W"], ["y"], name: "aligner") + ModelWriter.floats("W", [1, 2], [1, 2])
                + ModelWriter.port(11, "x", [nil, 2]) + ModelWriter.port(12, "y", [nil, 2]))
        for answer in [try await client.postModel(strange), try await kernel("", model: strange)] {
            #expect(answer.status == 422)
            let detail = try answer.detail
            #expect(detail.contains("node \"aligner\" (RoiAlign)") && detail.contains("Conv"), "\(detail)")
        }
        #expect(try await kernel("", model: Array("{\"a\":1}".utf8)).status == 400)
        #expect(try await client.postModel([]).status == 400)
        let elsewhere = try await client.send(.post, "/v1/kernels", [.contentType: "application/onnx"], body: ModelWriter.small)
        #expect(elsewhere.status == 415)
    }
}
