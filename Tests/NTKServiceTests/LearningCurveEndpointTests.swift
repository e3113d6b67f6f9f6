import Foundation
import HTTPTypes
import TensorFormats
import Testing

struct LearningCurveEndpointTests {
    let client = ServiceClient()
    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()
    private static let spectrum = #""spectrum":{"eigenvalues":[1,0.3,0.1,0.03],"powers":[0.1,0.6,0.2,0.1]}"#

    private struct Body: Decodable {
        struct Row: Decodable {
            var samples: Double
            var testError, low, high, spectrumError: Double?
            var extrapolated: Bool
        }
        struct Measured: Decodable { var samples: Int, error: Double, standardError: Double }
        var curve: [Row]
        var measured: [Measured]?
        var requiredSamples: Double?
    }

    private func curve(_ fields: String) async throws -> Body {
        let answer = try await client.post("/v1/learning-curves", "{\(fields)}")
        #expect(answer.status == 200, "\(answer.text)")
        return try Self.decoder.decode(Body.self, from: Data(answer.body))
    }

    @Test func requiredSamplesReachTheTarget() async throws {
        let body = try await curve(#"\#(Self.spectrum),"sample_sizes":[2,20],"ridge":0.01,"target_error":0.001"#)
        let n = try #require(body.requiredSamples)
        let at = try await curve(#"\#(Self.spectrum),"sample_sizes":[\#(n),\#(n - 1)],"ridge":0.01"#)
        #expect(try #require(at.curve[0].testError) <= 0.001 && (try #require(at.curve[1].testError)) > 0.001)
        #expect(try await curve(#"\#(Self.spectrum),"sample_sizes":[2],"noise":0.5,"target_error":0.4"#).requiredSamples == nil)
    }

    /// A sample's curve passes through what is measured on it, and says where it leaves the sample.
    @Test func fromASample() async throws {
        let x = (0..<64).map { "[\(cos(Double($0) * 1.7)),\(sin(Double($0) * 1.7))]" }.joined(separator: ",")
        let y = (0..<64).map { "\(sin(Double($0) * 5.1) + 0.1 * cos(Double($0) * 40))" }.joined(separator: ",")
        let fields = #""kernel":{"architecture":{"type":"mlp","depth":1,"b_std":0.5}},"x":[\#(x)],"y":[\#(y)],"ridge":0.1,"sample_sizes":[16,63,200]"#
        let body = try await curve(fields)
        let measured = try #require(body.measured)
        #expect(measured.map(\.samples) == [15, 22, 31, 44, 63])
        #expect(body.curve.map(\.extrapolated) == [false, false, true])
        #expect(body.curve[0].spectrumError != nil && body.curve[1].spectrumError == nil)
        for row in body.curve {
            let (low, error, high) = (try #require(row.low), try #require(row.testError), try #require(row.high))
            #expect(low < error && error < high)
        }
        let last = try #require(measured.last)
        #expect(try #require(body.curve[1].low) < last.error && last.error < (try #require(body.curve[1].high)))
        // The same question has the same answer, and another seed other subsets.
        let again = try await client.post("/v1/learning-curves", "{\(fields)}")
        #expect(try await client.post("/v1/learning-curves", "{\(fields)}").body == again.body)
        #expect(try await client.post("/v1/learning-curves", "{\(fields),\"seed\":5}").body != again.body)
        #expect(try await curve(fields.replacingOccurrences(of: #""ridge":0.1"#, with: #""ridge":"optimal""#)).curve.count == 3)
    }

    /// A linear target in the ansatz is learned mode by mode; a sample of the same covariance gives about the same curve.
    @Test func hermite() async throws {
        let kernel = #""method":"hermite","kernel":{"architecture":{"type":"mlp","depth":1,"b_std":0.5}},"ridge":0.01"#
        let given = try await curve(
            #"\#(kernel),"covariance_eigenvalues":[3,2,1,1,0.5,0.5],"target_coefficients":[{"components":[0],"coefficient":1}],"sample_sizes":[10,1000]"#
        )
        let (first, last) = (try #require(given.curve[0].testError), try #require(given.curve[1].testError))
        #expect(first > 0.05 && first < 1.5 && last < 0.01 * first)
    }

    @Test(arguments: [
        (#""sample_sizes":[]"#, "/sample_sizes"), (#""sample_sizes":[0]"#, "/sample_sizes/0"), (#""sample_sizes":[1],"ridge":"best""#, "/ridge"),
        (#""sample_sizes":[1],"features":0"#, "/features"), (#""sample_sizes":[1],"noise":-1"#, "/noise"),
        (#""sample_sizes":[1],"target_error":0"#, "/target_error"), (#""sample_sizes":[1],"size":1"#, "/size"),
    ])
    func refuses(_ fields: String, pointer: String) async throws {
        let answer = try await client.post("/v1/learning-curves", "{\(Self.spectrum),\(fields)}")
        #expect(answer.status == 422 && answer.text.contains(#""pointer":"\#(pointer)""#), "\(answer.text)")
    }

    @Test(arguments: [
        (#""spectrum":{"eigenvalues":[0],"powers":[1]}"#, "/spectrum/eigenvalues/0"),
        (#""spectrum":{"eigenvalues":[1,2],"powers":[1]}"#, "/spectrum/powers"),
        (#""kernel":{"architecture":{"type":"mlp","depth":1}},"x":[[1],[2]],"y":[1,2]"#, "/x"),
        (
            #""method":"hermite","kernel":{"architecture":{"type":"mlp","depth":1}},"covariance_eigenvalues":[1],"target_coefficients":[{"components":[0],"coefficient":1}]"#,
            "/x"
        ),
        (
            #""method":"hermite","kernel":{"architecture":{"type":"mlp","depth":1}},"covariance_eigenvalues":[1,1],"target_coefficients":[{"components":[2],"coefficient":1}]"#,
            "/target_coefficients/0/components/0"
        ),
    ])
    func refusesSources(_ fields: String, pointer: String) async throws {
        let answer = try await client.post("/v1/learning-curves", "{\(fields),\"sample_sizes\":[1]}")
        #expect(answer.status == 422 && answer.text.contains(#""pointer":"\#(pointer)""#), "\(answer.text)")
    }
}
