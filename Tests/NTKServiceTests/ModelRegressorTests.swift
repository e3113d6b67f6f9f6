import ComputeExecutor
import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// Regressors whose kernel is that of a network from a file.
struct ModelRegressorTests {
    private static let training = #""x_train":[[0.2,0.1],[-0.1,0.3],[0.7,-0.4],[0.2,0.1]],"y_train":[[1,0],[0,0.5],[-1,1],[0.5,0]],"ridge":0.01"#
    private static let x = "[[0.3,-0.2],[1,1]]"

    private func fit(_ client: ServiceClient, _ kernel: String = "{}", _ model: [UInt8] = ModelWriter.small) async throws -> ServiceClient.Answer {
        try await client.post(
            "/v1/regressors", "{\"kernel\":\(kernel),\(Self.training)}", [("kernel.network.onnx", model)])
    }

    @Test func oneIsStoredPredictsAndOutlivesTheServer() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        let made = try await fit(client)
        #expect(made.status == 201 && made.text.contains(#""format":"onnx""#), "\(made.text)")
        let id = try RegressorEndpointTests.id(made)
        let again = try await fit(client)
        #expect(try again.status == 200 && RegressorEndpointTests.id(again) == id)
        let direct = try await client.post(
            "/v1/predictions", "{\(Self.training),\"x_test\":\(Self.x),\"covariance\":\"diagonal\"}", [("kernel.network.onnx", ModelWriter.small)])
        #expect(direct.status == 200, "\(direct.text)")
        for server in [client, try scratch.server()] {
            let answer = try await server.post("/v1/regressors/\(id)/predictions", "{\"x\":\(Self.x),\"covariance\":\"diagonal\"}")
            #expect(answer.status == 200, "\(answer.text)")
            for member in ["mean", "variance"] {
                let (found, expected) = (try answer.array(member), try direct.array(member))
                #expect(found.shape == expected.shape)
                for (a, b) in zip(found.elements, expected.elements) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(member)") }
            }
            #expect(try await server.send(.get, "/v1/regressors/\(id)").text == made.text)
        }
        // The parameters that take part, the output and the file are part of what it is.
        let chosen = try await fit(client, #"{"include":["V"]}"#)
        let smaller = try RegressorEndpointTests.id(chosen)
        #expect(chosen.status == 201 && smaller != id)
        var other = ModelWriter.small
        let place = try #require(other.indices.reversed().first { other[$0..<min($0 + 4, other.count)].elementsEqual([0, 0, 128, 63]) })
        other[place + 2] = 64
        let changed = try await fit(client, "{}", other)
        #expect(try RegressorEndpointTests.id(changed) != id)
        // One byte of the file is another: that is seen.
        let path = "\(scratch.path)/regressors/\(smaller)/model.onnx"
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        let damaged = try await scratch.server().post("/v1/regressors/\(smaller)/predictions", "{\"x\":\(Self.x)}")
        #expect(damaged.status == 500 && damaged.text.contains("damaged"), "\(damaged.text)")
    }

    /// A stored network's program is compiled once for points of a shape, and goes with the network.
    @Test func programsAreKept() async throws {
        let client = ServiceClient()
        let id = try await client.postModel(ModelWriter.small).id
        let ask = "{\"network\":\"\(id)\",\"x1\":[[0.2,0.1]]}"
        let first = try await client.post("/v1/empirical-kernels", ask)
        for precision in ["float64", "float32"] {
            let fields = "{\"network\":\"\(id)\",\"x\":[[0.2,0.1]],\"precision\":\"\(precision)\""
            #expect(try await client.post("/v1/network-outputs", fields + "}").array("shape").elements == [1, 2])
            #expect(try await client.post("/v1/network-outputs", fields + ",\"output\":\"h\"}").array("shape").elements == [1, 3])
        }
        #expect(first.status == 200)
        #expect(try await client.post("/v1/empirical-kernels", ask).text == first.text)
        #expect(try await client.send(.delete, "/v1/networks/\(id)").status == 204)
        #expect(try await client.post("/v1/empirical-kernels", ask).status == 422)
    }
}
