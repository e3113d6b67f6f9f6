import Batching
import ComputeExecutor
import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import TestSupport
import Testing

/// What comes out for a request does not depend, by a bit, on what it was computed with.
struct BatchInvarianceTests {
    static let kernels = [
        #"{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"kind":"ntk"}"#,
        #"{"architecture":{"type":"serial","layers":[{"type":"dense","w_std":1.3},{"type":"erf"},{"type":"dense"},{"type":"relu"},{"type":"dense"}]},"kind":"nngp"}"#,
        #"{"network":{"architecture":{"type":"serial","layers":[{"type":"dense","width":9},{"type":"tanh"},{"type":"dense","width":2}]},"initialization":{"seed":3}}}"#,
    ]

    static func rows(_ count: Int, _ generator: inout SeededGenerator) -> String {
        let rows = (0..<count).map { _ in "[\((0..<12).map { _ in "\(Double.random(in: -1...1, using: &generator))" }.joined(separator: ","))]" }
        return "[\(rows.joined(separator: ","))]"
    }

    @Test(arguments: kernels.indices, ["none", "diagonal", "full"])
    func batchedEqualsUnbatched(kernel: Int, covariance: String) async throws {
        let seed = UInt64(kernel * 10 + covariance.count)
        var generator = SeededGenerator(seed: seed)
        let path = NSTemporaryDirectory() + "batch-tests-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        func client(_ batching: BatchLimits?) throws -> ServiceClient {
            ServiceClient(
                service: NTKService(
                    executor: ComputeExecutor(width: 2), regressors: try RegressorLibrary(dataDirectory: path, cacheBytes: 1 << 28),
                    capacity: Capacity(batching: batching)))
        }
        let (batched, alone) = (try client(BatchLimits()), try client(nil))
        let n = kernel == 2 ? 30 : 300
        let targets = (0..<n).map { "[\(sin(Double($0))),\(Double($0 % 7))]" }.joined(separator: ",")
        let made = try await batched.post(
            "/v1/regressors", #"{"kernel":\#(Self.kernels[kernel]),"x_train":\#(Self.rows(n, &generator)),"y_train":[\#(targets)],"ridge":0.01}"#)
        let id = try RegressorEndpointTests.id(made)
        let bodies = (0..<18).map { index in
            #"{"x":\#(Self.rows(index % 9 == 8 ? 70 : 1 + index % 3, &generator)),"covariance":"\#(covariance)"}"#
        }
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, body) in bodies.enumerated() {
                group.addTask { (index, try await batched.post("/v1/regressors/\(id)/predictions", body).text) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        for (index, body) in bodies.enumerated() {
            let own = try await alone.post("/v1/regressors/\(id)/predictions", body)
            #expect(own.status == 200 && own.text == answers[index], "seed \(seed), request \(index)")
        }
    }

    @Test(arguments: ["float64", "float32"])
    func kernelsOfAPassToo(precision: String) async throws {
        var generator = SeededGenerator(seed: 5)
        let batched = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2)))
        let alone = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(batching: nil)))
        let bodies = (0..<30).map { index in
            #"{"architecture":{"type":"mlp","depth":3},"x1":\#(Self.rows(30 + index * 7, &generator)),"kinds":["ntk","nngp"],"precision":"\#(precision)"}"#
        }
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, body) in bodies.enumerated() { group.addTask { (index, try await batched.post("/v1/kernels", body).text) } }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        for (index, body) in bodies.enumerated() { #expect(try await alone.post("/v1/kernels", body).text == answers[index], "request \(index)") }
    }

    /// A point whose kernel value is beyond float64 fails its own request, with its own pointer, and no other.
    @Test func aBadMemberFailsAlone() async throws {
        let path = NSTemporaryDirectory() + "batch-tests-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let client = ServiceClient(
            service: NTKService(
                executor: ComputeExecutor(width: 2), regressors: try RegressorLibrary(dataDirectory: path, cacheBytes: 1 << 28)))
        var generator = SeededGenerator(seed: 1)
        let targets = (0..<600).map { "\($0 % 5)" }.joined(separator: ",")
        let made = try await client.post(
            "/v1/regressors",
            #"{"kernel":\#(Self.kernels[0]),"x_train":\#(Self.rows(600, &generator)),"y_train":[\#(targets)],"ridge":0.01}"#)
        let id = try RegressorEndpointTests.id(made)
        let good = (0..<20).map { _ in Self.rows(1, &generator) }
        let bad = "[[\((0..<12).map { _ in "1e200" }.joined(separator: ","))]]"
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for x in good + [bad] + good { group.addTask { try await client.post("/v1/regressors/\(id)/predictions", #"{"x":\#(x)}"#).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 200 }.count == 40 && statuses.filter { $0 == 422 }.count == 1, "\(statuses)")
    }

    @Test func memoryIsRefusedWithATimeToComeAgain() async throws {
        let memory = MemoryBudget(bytes: 1 << 20, waiting: 0)
        let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(memory: memory)))
        var generator = SeededGenerator(seed: 2)
        let body = #"{"architecture":{"type":"mlp","depth":2},"x1":\#(Self.rows(200, &generator))}"#
        var lease = memory.reserveNow(900_000)
        let refused = try await client.post("/v1/kernels", body)
        #expect(refused.status == 503 && Int(refused.fields[.retryAfter] ?? "") ?? 0 >= 1, "\(refused.text)")
        #expect(lease != nil)
        lease = nil
        // More than the budget can ever give is the request's own fault.
        let large = try await client.post("/v1/kernels", #"{"architecture":{"type":"mlp","depth":2},"x1":\#(Self.rows(400, &generator))}"#)
        #expect(large.status == 422, "\(large.text)")
    }

    @Test func equalRequestsShareOneComputation() async throws {
        let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2)))
        var generator = SeededGenerator(seed: 3)
        let body = #"{"architecture":{"type":"mlp","depth":4},"x1":\#(Self.rows(900, &generator))}"#
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await client.post("/v1/kernels", body).text } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(answers.count == 1)
    }
}
