import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Kernels of networks with positions against values in 60 digits and more (`Tests/Reference`), through the service as a client would ask.
struct PositionKernelTests {
    @Test func agreeWithArbitraryPrecision() async throws {
        let url = try #require(Bundle.module.url(forResource: "Golden/positions", withExtension: "json"))
        let cases = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
        let client = ServiceClient()
        #expect(cases.count > 8)
        for golden in cases {
            let name = try #require(golden["name"] as? String)
            let request = try #require(golden["body"] as? [String: Any])
            let tolerance = try #require(golden["tolerance"] as? Double)
            let body = try JSONSerialization.data(withJSONObject: request)
            let answer = try await client.send(.post, "/v1/kernels", [.contentType: "application/json"], body: Array(body))
            #expect(answer.status == 200, "\(name): \(answer.text)")
            for (kind, expected) in try #require(golden["expected"] as? [String: [[Double]]]) {
                // Of the points of x1, then of x2.
                let own = try #require((golden["diagonals"] as? [String: [Double]])?[kind])
                let others = request["x2"] == nil ? own : Array(own.dropFirst(expected.count))
                let computed = try answer.array(kind)
                // What cancels has fewer digits, which the answer tells.
                let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
                let estimate = object?["error_estimate"] as? Double ?? 0
                #expect(computed.shape == [expected.count, expected[0].count])
                for (i, row) in expected.enumerated() {
                    for (j, value) in row.enumerated() {
                        let error = abs(computed.elements[i * row.count + j] - value)
                        let allowed = (tolerance + estimate) * own[i].squareRoot() * others[j].squareRoot()
                        #expect(error <= allowed, "\(name) \(kind) \(i) \(j): off by \(error)")
                    }
                }
            }
        }
    }
}
