import ComputeExecutor
import Foundation
import HTTP1
import HTTPTypes
import Locks
import TensorFormats
import TestSupport
import Testing

@testable import NTKService

/// What is read from a data directory, and the memory for that.
struct StoredReadingTests {
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        /// A server that has nothing in memory yet.
        func service(_ memory: MemoryBudget) throws -> NTKService {
            NTKService(
                executor: ComputeExecutor(width: 2), networks: try NetworkStore(directory: path + "/networks"),
                regressors: try RegressorLibrary(dataDirectory: path, cacheBytes: 1 << 28), capacity: Capacity(memory: memory))
        }

        func client(_ memory: MemoryBudget) throws -> ServiceClient { ServiceClient(service: try service(memory)) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private final class Arrivals: Sendable { let count = Lock(0) }

    private static func id(_ answer: ServiceClient.Answer) throws -> String {
        guard case .string(let id)? = try answer.object["id"] else { throw JSONError(.shape, at: "/id", answer.text) }
        return id
    }

    private static let points = 200
    private static let features = 1_000

    /// A regressor whose points are 1.6 MB.
    private static func regressor(_ scratch: Scratch) async throws -> String {
        let rows = (0..<points).map { row in "[" + (0..<features).map { "\(($0 * 7 + row * 13) % 10)" }.joined(separator: ",") + "]" }
        return try id(
            await scratch.client(MemoryBudget(bytes: 256 << 20)).post(
                "/v1/regressors",
                "{\"kernel\":{\"architecture\":{\"type\":\"mlp\",\"depth\":1}},\"ridge\":1,\"x_train\":[\(rows.joined(separator: ","))],"
                    + "\"y_train\":[\((0..<points).map(String.init).joined(separator: ","))]}"))
    }

    private static func prediction(_ path: String, _ id: String, _ number: Int) -> ServerRequest {
        let row = "\(number)," + Array(repeating: "1", count: features - 1).joined(separator: ",")
        let body =
            path.hasPrefix("/v1")
            ? "{\"x\":[[\(row)]]}" : "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[1,1000],\"data\":[\(row)]}]}"
        return ServerRequest(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "h", path: path.replacing("{id}", with: id),
                headerFields: [.contentType: "application/json"]), body: Array(body.utf8))
    }

    /// Many requests for a regressor that is not in memory need what one of them needs.
    @Test(arguments: ["/v1/regressors/{id}/predictions", "/v2/models/{id}/infer"]) func aRegressorIsReadOnceForAll(path: String) async throws {
        let scratch = try Scratch()
        let id = try await Self.regressor(scratch)
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let service = try scratch.service(memory)
        let reading = try #require(service.regressors).readingBytes(id)
        let lease = memory.reserveNow(memory.largest - reading - 600_000)
        #expect(lease != nil)
        let answers = await withTaskGroup(of: Int.self) { group in
            for number in 0..<16 { group.addTask { await service.respond(to: Self.prediction(path, id, number)).status.code } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: 200, count: 16))
        withExtendedLifetime(lease) {}
    }

    /// Where the bodies that wait for a regressor leave no memory for it, so many are refused that it can be read, at once, and the others go on.
    @Test(.timeLimit(.minutes(1)), arguments: ["/v1/regressors/{id}/predictions", "/v2/models/{id}/infer"])
    func bodiesDoNotWaitForEachOther(path: String) async throws {
        let scratch = try Scratch()
        let id = try await Self.regressor(scratch)
        let memory = MemoryBudget(bytes: 4 << 20, patience: .seconds(600))
        let service = try scratch.service(memory)
        let (count, each) = (12, 100_000)
        let fit = (memory.largest - (try #require(service.regressors).readingBytes(id))) / each
        #expect(fit > 0 && fit < count)
        let arrivals = Arrivals()
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                group.addTask {
                    var request = Self.prediction(path, id, number)
                    request.lease = service.bodyMemory.reserveNow(each, growth: 0)
                    guard request.lease != nil else { return 0 }
                    // Not what is used: that falls again when the first of them ends.
                    arrivals.count.withLock { $0 += 1 }
                    try await wait { arrivals.count.withLock { $0 } == count }
                    return await service.respond(to: request).status.code
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.filter { $0 == 200 }.count == fit && answers.filter { $0 == 503 }.count == count - fit, "\(answers)")
        for _ in 0..<1_000 where memory.usage.used > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(memory.usage.used == 0 && memory.usage.waiting == 0)
    }

    /// A network of many layers is told of with memory, and where there is too little the others of a list are still told of.
    @Test func networksOfManyLayersAreToldOf() async throws {
        let scratch = try Scratch()
        func network(_ layers: Int) -> String {
            let parameters = (0..<layers).map { #""\#($0).weight":[[0.1,0.2],[0.3,0.4]],"\#($0).bias":[0,0]"# }.joined(separator: ",")
            let list = Array(repeating: #"{"type":"dense","width":2}"#, count: layers).joined(separator: ",")
            return #"{"architecture":{"type":"serial","layers":[\#(list)]},"parameters":{\#(parameters)}}"#
        }
        let maker = try scratch.client(MemoryBudget(bytes: 256 << 20))
        let long = try await maker.post("/v1/networks", network(120))
        let short = try await maker.post("/v1/networks", network(1))
        #expect(long.status == 201 && short.status == 201, "\(long.text)")
        let one = "/v1/networks/\(try Self.id(long))"
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = try scratch.client(memory)
        for (path, texts) in [(one, [long.text]), ("/v1/networks", [long.text, short.text])] {
            let answer = try await client.send(.get, path)
            #expect(answer.status == 200 && texts.allSatisfy(answer.text.contains), "\(answer.text.prefix(300))")
            var lease = memory.reserveNow(memory.largest - 1_000_000)
            #expect(try await client.send(.get, path).status == 503)
            #expect(lease != nil)
            lease = nil
            #expect(memory.usage.used == 0)
        }
        let small = try scratch.client(MemoryBudget(bytes: 1 << 20, waiting: 0))
        #expect(try await small.send(.get, one).status == 422)
        let list = try await small.send(.get, "/v1/networks")
        #expect(list.status == 200 && list.text.contains(short.text), "\(list.text.prefix(300))")
        #expect(list.text.contains(#"{"id":"\#(try Self.id(long))","unreadable":""#), "\(list.text.prefix(300))")
    }
}
