import Batching
import ComputeExecutor
import Dispatch
import Foundation
import HTTP1
import HTTPTypes
import TensorFormats
import TestSupport
import Testing

@testable import NTKService

struct RequestMemoryTests {
    /// What a request had: a worker may give back the memory of a batch after its members have been answered.
    private func isGivenBack(_ memory: MemoryBudget) async -> Bool {
        for _ in 0..<1_000 where memory.usage.used > 0 { try? await Task.sleep(for: .milliseconds(5)) }
        return memory.usage.used == 0
    }

    private func demand(_ body: [UInt8], _ type: String, _ guess: JSONDemand.Guess = .few) -> Int {
        RequestBody.demand(RequestContent(bytes: body, type: type), limit: .max, guess)
    }

    /// Eight bytes a number are what is kept of it, and as many are what it takes to be read.
    @Test func numbersOfTextHaveRoom() throws {
        for digits in [1, 3, 18] {
            let numbers = Array(repeating: String(repeating: "7", count: digits), count: 100_000).joined(separator: ",")
            let taken = demand(Array("{\"x1\":[[\(numbers)]]}".utf8), "application/json")
            #expect(taken >= 1_600_000 && taken <= 1_900_000, "\(digits): \(taken)")
        }
    }

    /// Texts are read within their demand or refused, and with the larger one whatever can be read is.
    @Test(arguments: [("{}", 1), ("1", 1), ("{\"a\":\"b\"}", 3), ("\"cat\"", 1)])
    func otherValuesHaveRoom(value: String, count: Int) throws {
        // The first makes it no array of numbers.
        let text = Array("[{},\(Array(repeating: value, count: 60_000).joined(separator: ","))]".utf8)
        let values = 60_000 * count + 2
        let most = JSONDemand(text[...], .most)
        #expect(most.limits.values >= values && most.bytes >= 200 * values)
        _ = try JSONValue.parse(text, limits: most.limits)
        let few = JSONDemand(text[...], .few)
        #expect(few.bytes >= 200 * few.limits.values && few.bytes <= most.bytes)
        do {
            _ = try JSONValue.parse(text, limits: few.limits)
            #expect(few.limits.values >= values)
        } catch {
            #expect(error.kind == .size && few.limits.values < values)
        }
    }

    @Test func longStringsHaveRoom() throws {
        let text = Array("[\"\(String(repeating: "x", count: 1 << 20))\"]".utf8)
        let few = JSONDemand(text[...], .few)
        #expect(throws: JSONError.self) { try JSONValue.parse(text, limits: few.limits) }
        #expect(few.bytes < 1 << 20)
        let most = JSONDemand(text[...], .most)
        _ = try JSONValue.parse(text, limits: most.limits)
        #expect(most.bytes >= 3 << 20)
    }

    @Test func filesAndPartsHaveRoom() throws {
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4000,), }\n"
        let file = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + header.utf8 + [UInt8](repeating: 0, count: 4_000)
        #expect(demand(file, "application/x-npy") >= 32_000)
        var writer = NpzWriter()
        writer.append("x1.npy", file)
        writer.finish()
        let archive = try writer.pieces.reduce(into: [UInt8]()) { $0 += try $1.make() }
        #expect(demand(archive, "application/x-npz") >= 32_000)
        let form = Array("--b\r\nContent-Disposition: form-data; name=\"x1\"\r\n\r\n".utf8) + file + Array("\r\n--b--\r\n".utf8)
        #expect(demand(form, "multipart/form-data; boundary=b") >= 32_000)
        let weights = #"{"w":{"dtype":"I8","shape":[4000],"data_offsets":[0,4000]}}"#
        let tensors = [UInt8(weights.utf8.count)] + [UInt8](repeating: 0, count: 7) + weights.utf8 + [UInt8](repeating: 0, count: 4_000)
        #expect(demand(tensors, "application/x-safetensors") >= 32_000)
    }

    @Test(arguments: [("UINT8", 1), ("FP16", 2), ("FP32", 4), ("FP64", 8)])
    func tensorsBehindJSONHaveRoom(type: String, size: Int) {
        for datatype in [type, "\\u00\(String(type.utf8.first ?? 0, radix: 16))\(type.dropFirst())"] {
            let head = Array(
                #"{"inputs":[{"name":"x","datatype":"\#(datatype)","shape":[1,8000],"parameters":{"binary_data_size":\#(8_000 * size)}}]}"#.utf8)
            let request = ServerRequest(
                head: HTTPRequest(
                    method: .post, scheme: "http", authority: "h", path: "/", headerFields: [InferRequest.headerLength: "\(head.count)"]),
                body: head + [UInt8](repeating: 0, count: 8_000 * size))
            let bytes = InferRequest.demand(request, .few)
            #expect(bytes >= 128_000)
            if datatype == type { #expect(bytes <= 400_000) }
        }
    }

    /// Whatever reads a large body asks for memory before, also where nothing is computed.
    @Test(arguments: ["/v1/kernels", "/v1/networks", "/v1/predictions"])
    func nothingIsReadWithoutMemory(path: String) async throws {
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(memory: memory)))
        let body = "{\"x1\":[[\(Array(repeating: "1", count: 100_000).joined(separator: ","))]]}"
        var lease = memory.reserveNow(memory.largest - 1_000_000)
        #expect(try await client.post(path, body).status == 503)
        #expect(lease != nil)
        lease = nil
        #expect(try await client.post(path, body).status == 422)
        #expect(await isGivenBack(memory))
    }

    /// A text that turns out to have more values than it looked like is read once more, if there can be memory for that.
    @Test func valuesBeyondTheGuess() async throws {
        let body = "{\"x1\":[\(Array(repeating: "{}", count: 100_000).joined(separator: ","))],\"y\":{}}"
        for (bytes, status) in [(16 << 20, 413), (64 << 20, 422)] {
            let memory = MemoryBudget(bytes: bytes, waiting: 0)
            let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(memory: memory)))
            let answer = try await client.post("/v1/kernels", body)
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    /// A text is counted once: for its demand, and the reader has the limits that follow.
    @Test func aTextIsCountedOnce() async throws {
        let text = Array("[\(Array(repeating: "\"a\"", count: 40_000).joined(separator: ","))]".utf8)
        // As long, and nothing in it that counts: whoever looked at it would find the least limits.
        let blank = [UInt8](repeating: 0x20, count: text.count)
        let service = NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(memory: MemoryBudget(bytes: 256 << 20)))
        let body = LargeBody(
            count: text.count, demand: { JSONDemand(text[...], $0).bytes }, read: { guess, _ in JSONDemand.limits(blank[...], guess).values })
        let few = JSONDemand(text[...], .few).limits.values
        #expect(few > 40_000 && JSONDemand.limits(blank[...], .few).values < few)
        #expect(try await service.read(body, for: nil).value == few)
        // What is no slice of the body is looked at.
        let guess = JSONDemand.Guess.few.remembering
        _ = JSONDemand(text[...], guess)
        #expect(JSONDemand.limits(blank[...], guess.forElsewhere).values < few)
    }

    /// A list of edges becomes a matrix of nodes by nodes, which is asked for before it is made.
    @Test func edgesBecomeMatrices() async throws {
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = ServiceClient(service: NTKService(executor: ComputeExecutor(width: 2), capacity: Capacity(memory: memory)))
        for (nodes, status) in [(200, 200), (400, 200), (5_000, 413), (16_000, 413)] {
            let points = Array(repeating: "[1]", count: nodes).joined(separator: ",")
            let answer = try await client.post(
                "/v1/kernels",
                #"{"architecture":{"type":"serial","layers":[{"type":"aggregate","axes":[1]},{"type":"dense"},{"type":"global_sum_pool"}]},"#
                    + #""x1":[[\#(points)]],"pattern1":{"edges":[[[0,1],[1,2]]]}}"#)
            #expect(answer.status == status, "\(nodes): \(answer.text)")
        }
        #expect(await isGivenBack(memory))
    }

    /// A stored network is read when there is memory for it, and told of without.
    @Test func aStoredNetworkIsReadWithMemory() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let weights =
            "[" + Array(repeating: "[" + Array(repeating: "1", count: 500).joined(separator: ",") + "]", count: 600).joined(separator: ",") + "]"
        let made = try await ServiceClient(networks: NetworkStore(directory: directory)).post(
            "/v1/networks", "{\"architecture\":{\"type\":\"dense\"},\"parameters\":{\"weight\":\(weights)}}")
        guard case .string(let id)? = try made.object["id"] else {
            Issue.record("\(made.text)")
            return
        }
        let points = "[[" + Array(repeating: "1", count: 500).joined(separator: ",") + "]]"
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = ServiceClient(
            service: NTKService(
                executor: ComputeExecutor(width: 2), networks: try NetworkStore(directory: directory), capacity: Capacity(memory: memory)))
        // The weights are 2.4 MB, and as many when they are read.
        var lease = memory.reserveNow(memory.largest - 4_000_000)
        for body in [
            "{\"network\":\"\(id)\",\"x\":\(points)}", "{\"network\":\"\(id)\",\"x\":\(points)\(String(repeating: " ", count: 70_000))}",
        ] {
            let refused = try await client.post("/v1/network-outputs", body)
            #expect(refused.status == 503 && refused.fields[.retryAfter] != nil, "\(refused.text)")
        }
        #expect(try await client.send(.get, "/v1/networks/\(id)").body == made.body)
        #expect(try await client.send(.get, "/v1/networks").text.contains("\"weight\":[600,500]"))
        #expect(lease != nil)
        lease = nil
        for _ in 0..<2 { #expect(try await client.post("/v1/network-outputs", "{\"network\":\"\(id)\",\"x\":\(points)}").status == 200) }
        #expect(await isGivenBack(memory))
    }

    /// So is a stored regressor.
    @Test(arguments: ["/v1/regressors/{id}/predictions", "/v2/models/{id}/infer"]) func aStoredRegressorIsReadWithMemory(path: String) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        func client() throws -> ServiceClient {
            ServiceClient(
                service: NTKService(
                    executor: ComputeExecutor(width: 2), regressors: try RegressorLibrary(dataDirectory: directory, cacheBytes: 1 << 28),
                    capacity: Capacity(memory: memory)))
        }
        let points = (0..<200).map { row in "[" + (0..<1_000).map { "\(($0 * 7 + row * 13) % 10)" }.joined(separator: ",") + "]" }
        let made = try await client().post(
            "/v1/regressors",
            "{\"kernel\":{\"architecture\":{\"type\":\"mlp\",\"depth\":1}},\"ridge\":1,\"x_train\":[\(points.joined(separator: ","))],"
                + "\"y_train\":[\((0..<200).map(String.init).joined(separator: ","))]}")
        guard case .string(let id)? = try made.object["id"] else {
            Issue.record("\(made.text)")
            return
        }
        let numbers = Array(repeating: "1", count: 1_000).joined(separator: ",")
        let body =
            path.hasPrefix("/v1")
            ? "{\"x\":[[\(numbers)]]}" : "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[1,1000],\"data\":[\(numbers)]}]}"
        let later = try client()
        // The points are 1.6 MB, and as many when they are read.
        var lease = memory.reserveNow(memory.largest - 2_000_000)
        let place = path.replacing("{id}", with: id)
        let refused = try await later.post(place, body)
        #expect(lease != nil && refused.status == 503 && refused.fields[.retryAfter] != nil, "\(refused.text)")
        lease = nil
        #expect(try await later.post(place, body).status == 200)
        #expect(await isGivenBack(memory))
    }

    /// What a member of a batch has belongs to it until the batch has been computed, also when its client is gone.
    @Test(.timeLimit(.minutes(1))) func aBatchHoldsTheMemoryOfItsMembers() async throws {
        let memory = MemoryBudget(bytes: 64 << 20)
        let executor = ComputeExecutor(width: 1)
        let service = NTKService(executor: executor, capacity: Capacity(memory: memory))
        let batches = try #require(service.batches)
        let ends = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
        func post(_ number: Int) -> Task<Int, any Error> {
            let rows = (0..<40).map { "[\($0),\(number)]" }.joined(separator: ",")
            let body = #"{"architecture":{"type":"mlp","depth":4,"b_std":1},"x1":[\#(rows)]}"#
            return Task { try await ServiceClient(service: service).post("/v1/kernels", body).status }
        }
        let started = DispatchSemaphore(value: 0)
        let first = Task {
            try await executor.run(priority: .small) { _ in
                started.signal()
                ends[0].wait()
            }
        }
        try await wait { started.wait(timeout: .now()) == .success }
        let one = post(1)
        try await wait { executor.waitingCount >= 1 }
        let each = memory.usage.used
        let second = Task { try await executor.run(priority: .small) { _ in ends[1].wait() } }
        try await wait { executor.waitingCount >= 2 }
        let (leaves, stays) = (post(2), post(3))
        try await wait { batches.pass.waiting.items >= 2 }
        #expect(each > 0 && memory.usage.used == 3 * each)
        ends[0].signal()
        #expect(try await one.value == 200)
        // The two are a batch now, which waits for the worker.
        try await wait { batches.pass.waiting.items == 0 && executor.waitingCount >= 1 }
        leaves.cancel()
        #expect(try await leaves.value == 503)
        #expect(memory.usage.used == 2 * each)
        ends[1].signal()
        #expect(try await stays.value == 200)
        for blocked in [first, second] { try await blocked.value }
        try await wait { memory.usage.used == 0 }
    }
}
