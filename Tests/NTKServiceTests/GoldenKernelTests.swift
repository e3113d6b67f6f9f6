import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Kernels of neural-tangents 0.6.5 in float64, through the service as a client would ask for them.
struct GoldenKernelTests {
    @Test(arguments: ["kernels", "architectures"])
    func agreeWithNeuralTangents(file: String) async throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/\(file)", withExtension: "json"))
        let root = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        let client = ServiceClient()
        var seen: Set<String> = []
        for golden in cases {
            let name = try #require(golden["name"] as? String)
            seen.insert(name)
            for (part, precision) in [("cross", "float64"), ("same", "float64"), ("cross", "float32"), ("same", "float32")] {
                var request: [String: Any] = [
                    "architecture": golden["architecture"] ?? [:], "x1": golden["x1"] ?? [], "kinds": ["nngp", "ntk"], "precision": precision,
                ]
                request["pattern1"] = golden["pattern1"]
                if part == "cross" {
                    request["x2"] = golden["x2"]
                    request["pattern2"] = golden["pattern2"]
                }
                let body = try JSONSerialization.data(withJSONObject: request)
                let answer = try await client.send(.post, "/v1/kernels", [.contentType: "application/json"], body: Array(body))
                #expect(answer.status == 200, "\(name): \(answer.text)")
                guard let expected = golden[part] as? [String: [[Double]]] else { continue }
                let same = golden["same"] as? [String: [[Double]]] ?? [:]
                for kind in ["nngp", "ntk"] {
                    let worst = try Self.worstError(
                        answer.array(kind), #require(expected[kind]), own: same[kind], isSame: part == "same")
                    let bound = precision == "float64" ? 1e-10 : 1e-5
                    // Of the reference's lost digits a layer of signs takes the root again.
                    let coincident = name.contains("sign") ? 1e-3 : max(bound, 1e-7)
                    #expect(worst.apart <= bound && worst.coincident <= coincident, "\(name) \(part) \(kind) \(precision): \(worst)")
                }
            }
        }
        #expect(seen.count == cases.count)
    }

    /// Largest |error| relative to the largest own value of a row's point; apart from it that of pairs of a point with itself, whose
    /// reference has lost half its digits (its angle comes from atan2 of a difference).
    static func worstError(
        _ computed: (shape: [Int], elements: [Double]), _ expected: [[Double]], own: [[Double]]?, isSame: Bool
    ) throws -> (apart: Double, coincident: Double) {
        #expect(computed.shape == [expected.count, expected[0].count])
        var worst = (apart: 0.0, coincident: 0.0)
        for (i, row) in expected.enumerated() {
            for (j, value) in row.enumerated() {
                let error = abs(computed.elements[i * row.count + j] - value) / max(abs(value), own?[i][i] ?? 0)
                if isSame && i == j { worst.coincident = max(worst.coincident, error) } else { worst.apart = max(worst.apart, error) }
            }
        }
        return worst
    }
}
