import ComputeExecutor
import Foundation
import HTTPTypes
import LinearAlgebra
import Locks
import NTKService
import Testing

/// What a request will cost, and what happens beyond the limits.
struct CostTests {
    static let small = #"{"architecture":{"type":"mlp","depth":2,"activation":"relu"},"x1":[[1,0],[0,1]]}"#

    /// A convolutional kernel of `count` random images: a few milliseconds a pair.
    static func convolutional(_ count: Int) -> String {
        let image =
            "[" + (0..<16).map { row in "[" + (0..<16).map { "[\(row % 3).\($0 % 7)]" }.joined(separator: ",") + "]" }.joined(separator: ",") + "]"
        return """
            {"architecture":{"type":"serial","layers":[{"type":"repeat","count":8,"layer":{"type":"serial","layers":[
            {"type":"conv","filter_shape":[3,3],"padding":"same"},{"type":"relu"}]}},{"type":"global_avg_pool"},{"type":"dense"}]},
            "x1":[\((0..<count).map { _ in image }.joined(separator: ","))]}
            """
    }

    private static func post(
        _ client: ServiceClient, _ body: String, query: String = "", _ fields: HTTPFields = [:]
    ) async throws -> ServiceClient.Answer {
        var fields = fields
        fields[.contentType] = "application/json"
        return try await client.send(.post, "/v1/kernels" + query, fields, body: Array(body.utf8))
    }

    @Test func estimateComputesNothing() async throws {
        let client = ServiceClient()
        for body in [Self.small, Self.convolutional(300)] {
            let answer = try await Self.post(client, body, query: "?estimate_only=true")
            #expect(answer.status == 200)
            let root = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: [String: Double]]
            let estimate = root?["estimate"] ?? [:]
            #expect(estimate.keys.sorted() == ["flops", "peak_bytes", "seconds"] && estimate.values.allSatisfy { $0 > 0 })
        }
        // Full of faults is refused all the same.
        let faulty = try await Self.post(client, #"{"architecture":{"type":"relu"},"x1":[[1]]}"#, query: "?estimate_only=true")
        #expect(faulty.status == 422)
    }

    @Test func overTheLimitsIsRefusedWithItsEstimate() async throws {
        var limits = NTKService.Limits()
        limits.seconds = 0.001
        let slow = try await Self.post(ServiceClient(limits: limits), Self.convolutional(50))
        #expect(slow.status == 422 && slow.text.contains("/problems/over-limit") && slow.text.contains(#""estimate":{"flops":"#))
        limits = NTKService.Limits()
        limits.memoryBytes = 10
        let large = try await Self.post(ServiceClient(limits: limits), Self.small)
        #expect(large.status == 422 && large.text.contains("/problems/over-limit") && large.text.contains(#""peak_bytes":"#))
    }

    @Test func deadlineStopsTheWork() async throws {
        let client = ServiceClient()
        let field = try #require(HTTPField.Name("Request-Timeout"))
        let late = try await Self.post(client, Self.convolutional(60), [field: "0.05"])
        #expect(late.status == 504 && late.text.contains("/problems/deadline"))
        // Its tiles have been given up, so that the next request is not behind them.
        let next = try await Self.post(client, Self.small, [field: "60"])
        #expect(next.status == 200)
        for text in ["0", "-1", "soon", "1e9"] {
            let refused = try await Self.post(client, Self.small, [field: text])
            #expect(refused.status == 400)
        }
    }

    @Test func progressIsReported() throws {
        let seen = Lock<[Int]>([])
        let tiles = ReportingTiles { done, count in seen.withLock { $0.append(done * 1000 + count) } }
        try tiles.forEach(20) { _ in }
        #expect(seen.withLock { $0.sorted() } == (1...20).map { $0 * 1000 + 20 })
    }

    /// What each thread works in is counted for as many threads as there are, in kernels and in what is made of them.
    @Test(arguments: ["/v1/kernels", "/v1/predictions", "/v1/spectra", "/v1/dynamics"])
    func everyWorkerHasItsMemory(path: String) async throws {
        let kernel = Self.convolutional(4)
        guard let points = kernel.range(of: "\"x1\":") else { return }
        let (architecture, images) = (kernel[..<points.lowerBound], kernel[points.upperBound...].dropLast())
        let body =
            switch path {
            case "/v1/kernels": kernel
            case "/v1/spectra": "{\"kernel\":\(architecture.trimmingCharacters(in: ["\n", ",", " "]))},\"x\":\(images)}"
            default:
                "{\"kernel\":\(architecture.trimmingCharacters(in: ["\n", ",", " "]))},\"x_train\":\(images),\"y_train\":[0,1,0,1],\"x_test\":\(images)"
                    + (path == "/v1/dynamics" ? ",\"times\":[1]}" : "}")
            }
        var bytes: [Double] = []
        for width in [1, 2, 8] {
            let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: width)))
            let answer = try await client.post(path + "?estimate_only=true", body)
            let root = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: [String: Double]]
            bytes.append(try #require(root?["estimate"]?["peak_bytes"], "\(answer.text)"))
        }
        #expect(bytes[1] > bytes[0] && bytes[2] - bytes[1] == 6 * (bytes[1] - bytes[0]), "\(bytes)")
    }

    /// A stored regressor's covariance costs a factor the first time, and that of a fit with the ridge that was chosen; then the factor is there.
    @Test func factorsAreCountedWhereTheyAreMade() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server(cacheBytes: 1 << 24)
        let points = (0..<300).map { "[\(sin(Double($0))),\(cos(1.7 * Double($0)))]" }.joined(separator: ",")
        let targets = (0..<300).map { "\(sin(0.3 * Double($0)))" }.joined(separator: ",")
        let fit = #"{"kernel":\#(RegressorEndpointTests.kernel),"x_train":[\#(points)],"y_train":[\#(targets)],"ridge":{"select":"gcv"}}"#
        func flops(_ path: String, _ body: String) async throws -> Double {
            let answer = try await client.post(path + "?estimate_only=true", body)
            let root = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: [String: Double]]
            return try #require(root?["estimate"]?["flops"], "\(answer.text)")
        }
        let id = try RegressorEndpointTests.id(try await client.post("/v1/regressors", fit))
        let path = "/v1/regressors/\(id)/predictions"
        let (means, variances) = (#"{"x":[[1,1]]}"#, #"{"x":[[1,1]],"covariance":"diagonal"}"#)
        let (whole, first) = (try await flops("/v1/regressors", fit), try await flops(path, variances))
        #expect(try await client.post(path, variances).status == 200)
        let (later, mean) = (try await flops(path, variances), try await flops(path, means))
        #expect(mean < later && later < first / 3 && first < whole / 2, "\(mean) \(later) \(first) \(whole)")
    }
}
