import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Networks that PyTorch trained on handwritten digits, as their `state_dict` came out of it, against torch.func in float64
/// (`Clients/pytorch/empirical_ntk.py --save` makes the files).
struct PyTorchTests {
    let client = ServiceClient()

    private func file(_ name: String, _ type: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Golden/pytorch/\(name)", withExtension: type))
        return Array(try Data(contentsOf: url))
    }

    private func send(_ path: String, _ parts: [(name: String, type: String, content: [UInt8])]) async throws -> ServiceClient.Answer {
        var body: [UInt8] = []
        for part in parts {
            body += Array("--a boundary\r\nContent-Disposition: form-data; name=\"\(part.name)\"\r\nContent-Type: \(part.type)\r\n\r\n".utf8)
            body += part.content + [13, 10]
        }
        body += Array("--a boundary--\r\n".utf8)
        return try await client.send(.post, path, [.contentType: "multipart/form-data; boundary=\"a boundary\""], body: body)
    }

    @Test(arguments: ["mlp", "cnn"]) func agreesWithTorch(_ name: String) async throws {
        let golden = try #require(JSONSerialization.jsonObject(with: Data(file(name, "json"))) as? [String: Any])
        let network = try #require(golden["network"] as? [String: Any])
        let request = try JSONSerialization.data(withJSONObject: ["network": network, "x1": golden["x"] ?? [], "outputs": "full"])
        let parameters = ("network.parameters", "application/octet-stream", try file(name, "safetensors"))
        let answer = try await send("/v1/empirical-kernels", [("request", "application/json", Array(request)), parameters])
        #expect(answer.status == 200, "\(answer.text)")
        try check(answer, "ntk", golden["full"])

        // Stored first, as a part and as the whole body.
        let stored = try await send(
            "/v1/networks",
            [("request", "application/json", Array(JSONSerialization.data(withJSONObject: network))), ("parameters", "", parameters.2)])
        guard case .string(let id) = try stored.object["id"] else {
            Issue.record("\(stored.text)")
            return
        }
        let points = try JSONSerialization.data(withJSONObject: ["network": id, "x": golden["x"] ?? []])
        try check(try await client.post("/v1/network-outputs", String(decoding: points, as: UTF8.self)), "outputs", golden["outputs"])
        let alone = try await client.send(
            .post, "/v1/networks", [.contentType: "application/octet-stream"], body: try Self.adding(network, to: parameters.2))
        #expect(alone.status == 200 && alone.text == stored.text, "\(alone.text)")
    }

    /// The same file with the network's other members in its metadata.
    private static func adding(_ network: [String: Any], to file: [UInt8]) throws -> [UInt8] {
        let length = (0..<8).reduce(0) { $0 | Int(file[$1]) << (8 * $1) }
        var header = try #require(JSONSerialization.jsonObject(with: Data(file[8..<8 + length])) as? [String: Any])
        header["__metadata__"] = try network.mapValues {
            try ($0 as? String) ?? String(decoding: JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
        }
        let text = Array(try JSONSerialization.data(withJSONObject: header))
        return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + file[(8 + length)...]
    }

    private func check(_ answer: ServiceClient.Answer, _ field: String, _ expected: Any?) throws {
        let computed = try answer.array(field)
        let golden = try JSONValue.parse(Array(JSONSerialization.data(withJSONObject: try #require(expected)))).numericArray(at: "")
        #expect(computed.shape == golden.shape)
        let scale = golden.elements.reduce(0) { max($0, abs($1)) }
        let worst = zip(computed.elements, golden.elements).reduce(0) { max($0, abs($1.0 - $1.1) / scale) }
        #expect(worst <= 1e-10, "\(worst)")
    }

    @Test func aPartThatCannotBeReadOrPlaced() async throws {
        let request = ("request", "application/json", Array(#"{"network":{"architecture":{"type":"dense","width":1}},"x":[[1,2]]}"#.utf8))
        #expect(try await send("/v1/network-outputs", [request, ("network.parameters", "", Array("nothing".utf8))]).status == 400)
        let twice = try await send("/v1/network-outputs", [request, ("x", "application/json", Array("[[1]]".utf8))])
        #expect(try twice.status == 400 && twice.pointers == ["/x"])
        let single = try await send(
            "/v1/network-outputs",
            [request, ("network.parameters.weight", "application/json", Array("[[3,4]]".utf8))])
        #expect(try single.array("outputs").elements == [11], "\(single.text)")
        let broken = try await client.send(
            .post, "/v1/network-outputs", [.contentType: "multipart/form-data; boundary=b"], body: Array("--b\r\n".utf8))
        #expect(broken.status == 400)
        #expect(try await client.send(.post, "/v1/kernels", [.contentType: "application/octet-stream"], body: [1]).status == 415)
    }
}
