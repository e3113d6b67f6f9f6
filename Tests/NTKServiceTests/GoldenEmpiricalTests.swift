import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Outputs and full kernels of random networks by JAX's automatic differentiation in float64, through the service as a client would ask.
struct GoldenEmpiricalTests {
    @Test func agreeWithAutomaticDifferentiation() async throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/empirical", withExtension: "json"))
        let root = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 14)
        let client = ServiceClient()
        for golden in cases {
            let name = try #require(golden["name"] as? String)
            let network = golden["network"] ?? [:]
            let request: [String: Any] = ["network": network, "x1": golden["x1"] ?? [], "x2": golden["x2"] ?? [], "outputs": "full"]
            try await compare(name, client, "/v1/empirical-kernels", request, "ntk", golden["full"], tolerance: 1e-11)
            try await compare(
                name, client, "/v1/network-outputs", ["network": network, "x": golden["x1"] ?? []], "outputs", golden["outputs_x1"], tolerance: 1e-11)
            var single = request
            single["precision"] = "float32"
            try await compare(name, client, "/v1/empirical-kernels", single, "ntk", golden["full"], tolerance: 2e-5)
        }
    }

    private func compare(
        _ name: String, _ client: ServiceClient, _ path: String, _ request: [String: Any], _ field: String, _ expected: Any?, tolerance: Double
    ) async throws {
        let body = try JSONSerialization.data(withJSONObject: request)
        let answer = try await client.send(.post, path, [.contentType: "application/json"], body: Array(body))
        guard answer.status == 200 else {
            Issue.record("\(name): \(answer.text)")
            return
        }
        let computed = try answer.array(field)
        let text = try JSONSerialization.data(withJSONObject: try #require(expected))
        let golden = try JSONValue.parse(Array(text)).numericArray(at: "")
        #expect(computed.shape == golden.shape, "\(name)")
        let scale = golden.elements.reduce(0) { max($0, abs($1)) }
        let worst = zip(computed.elements, golden.elements).reduce(0) { max($0, abs($1.0 - $1.1) / scale) }
        #expect(worst <= tolerance, "\(name) \(field): \(worst)")
    }
}
