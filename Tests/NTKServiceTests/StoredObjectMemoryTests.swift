import ComputeExecutor
import Foundation
import HTTP1
import HTTPTypes
import TensorFormats
import Testing

@testable import NTKService

/// What is stored, and the memory that it takes to be read.
struct StoredObjectMemoryTests {
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        /// A server that has nothing in memory yet.
        func server(_ memory: MemoryBudget = MemoryBudget(bytes: 256 << 20, waiting: 0)) throws -> ServiceClient {
            ServiceClient(
                service: NTKService(
                    executor: ComputeExecutor(width: 2), networks: try NetworkStore(directory: path + "/networks"),
                    regressors: try RegressorLibrary(dataDirectory: path, cacheBytes: 1 << 28), capacity: Capacity(memory: memory)))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let kernel = #""kernel":{"architecture":{"type":"mlp","depth":1}},"ridge":1"#

    private static func id(_ answer: ServiceClient.Answer) throws -> String {
        guard case .string(let id)? = try answer.object["id"] else { throw JSONError(.shape, at: "/id", answer.text) }
        return id
    }

    private static func row(_ count: Int, _ seed: Int = 0) -> String {
        "[" + (0..<count).map { "\(($0 * 7 + seed * 13) % 10)" }.joined(separator: ",") + "]"
    }

    /// Neither a list nor a description looks at the numbers, or waits for the memory that they would take.
    @Test(arguments: [#""y_train":[1,2,3]"#, #""labels":["a","b","a"]"#]) func regressorsAreToldOfWithoutTheirNumbers(targets: String) async throws {
        let scratch = try Scratch()
        let made = try await scratch.server().post("/v1/regressors", "{\(Self.kernel),\"x_train\":[[1,2],[2,1],[3,5]],\(targets)}")
        let id = try Self.id(made)
        // Of a version without checksums, so that it is not known to be damaged; and whoever reads them all misses one of the arrays.
        try FileManager.default.removeItem(atPath: scratch.path + "/regressors/\(id)/checksums")
        let manifest = URL(filePath: scratch.path + "/regressors/\(id)/manifest.json")
        try String(contentsOf: manifest, encoding: .utf8).replacing(#""version":2"#, with: #""version":1"#)
            .write(to: manifest, atomically: true, encoding: .utf8)
        let told = made.text.replacing(#""posterior""#, with: #""unchecked":true,"posterior""#)
        let file = URL(filePath: scratch.path + "/regressors/\(id)/tensors.safetensors")
        var bytes = try Data(contentsOf: file)
        bytes.replaceSubrange(try #require(bytes.firstRange(of: Data("coefficients".utf8))), with: Data("coefficientz".utf8))
        try bytes.write(to: file)
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = try scratch.server(memory)
        let lease = memory.reserveNow(memory.largest)
        let described = try await client.send(.get, "/v1/regressors/\(id)")
        #expect(described.status == 200 && described.text == told, "\(described.text)")
        let list = try await client.send(.get, "/v1/regressors")
        #expect(list.status == 200 && list.text == "{\"regressors\":[\(told)],\"next\":null}", "\(list.text)")
        #expect(lease != nil)
        #expect(try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1]]}"#).status == 500)
    }

    /// A long text is read with memory.
    @Test func longDescriptionsWaitForMemory() async throws {
        let scratch = try Scratch()
        let labels = ["a", "b", "a"].map { "\"\($0)\(String(repeating: "x", count: 20_000))\"" }.joined(separator: ",")
        let made = try await scratch.server().post("/v1/regressors", "{\(Self.kernel),\"x_train\":[[1,2],[2,1],[3,5]],\"labels\":[\(labels)]}")
        let one = "/v1/regressors/\(try Self.id(made))"
        for path in [one, "/v1/regressors"] {
            let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
            let client = try scratch.server(memory)
            var lease = memory.reserveNow(memory.largest - 1_000_000)
            let refused = try await client.send(.get, path)
            #expect(lease != nil && refused.status == 503 && refused.fields[.retryAfter] != nil, "\(refused.text.prefix(200))")
            lease = nil
            let answer = try await client.send(.get, path)
            #expect(answer.status == 200 && answer.text.contains(made.text), "\(answer.text.prefix(200))")
            #expect(memory.usage.used == 0)
            let small = try await scratch.server(MemoryBudget(bytes: 1 << 20, waiting: 0)).send(.get, path)
            #expect(small.status == 422 && small.text.contains("stored-object-too-large"), "\(small.text.prefix(200))")
        }
    }

    /// So is that of a network.
    @Test func longArchitecturesAreToldOf() async throws {
        let scratch = try Scratch()
        let layers = (0..<2_000).map { _ in #"{"type":"dense","width":1},{"type":"erf"}"# }.joined(separator: ",")
        let made = try await scratch.server().post(
            "/v1/networks", #"{"architecture":{"type":"serial","layers":[\#(layers)]},"initialization":{"seed":1},"input_shape":[1]}"#)
        let memory = MemoryBudget(bytes: 64 << 20, waiting: 0)
        let client = try scratch.server(memory)
        #expect(try await client.send(.get, "/v1/networks/\(try Self.id(made))").text == made.text)
        #expect(try await client.send(.get, "/v1/networks").text.contains(made.text))
        #expect(memory.usage.used == 0)
    }

    /// What can never be read is named, with its size and what helps; it is no fault of the body, and to try again is of no use.
    @Test func whatIsLargerThanTheMemoryIsNamed() async throws {
        let scratch = try Scratch()
        let maker = try scratch.server()
        let weights = "[" + (0..<600).map { Self.row(500, $0) }.joined(separator: ",") + "]"
        let network = try Self.id(
            try await maker.post("/v1/networks", "{\"architecture\":{\"type\":\"dense\"},\"parameters\":{\"weight\":\(weights)}}"))
        let points = "[" + (0..<400).map { Self.row(1_000, $0) }.joined(separator: ",") + "]"
        let regressor = try Self.id(
            try await maker.post("/v1/regressors", "{\(Self.kernel),\"x_train\":\(points),\"y_train\":\(Self.row(400))}"))
        let outputs = "{\"network\":\"\(network)\",\"x\":[\(Self.row(500))]}"
        let x = Self.row(1_000)
        let requests = [
            ("/v1/network-outputs", outputs, network, 4_800_000),
            ("/v1/network-outputs", outputs + String(repeating: " ", count: 70_000), network, 4_800_000),
            ("/v1/regressors/\(regressor)/predictions", "{\"x\":[\(x)]}", regressor, 6_400_000),
            (
                "/v2/models/\(regressor)/infer", "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[1,1000],\"data\":\(x)}]}", regressor,
                6_400_000
            ),
        ]
        let memory = MemoryBudget(bytes: 4 << 20, waiting: 0)
        let client = try scratch.server(memory)
        for (path, body, id, least) in requests {
            let answer = try await client.post(path, body)
            #expect(answer.status == 422 && answer.fields[.retryAfter] == nil, "\(path): \(answer.text)")
            #expect(answer.text.contains(id) && answer.text.contains("--memory-budget") && !answer.text.contains("The body"), "\(answer.text)")
            let sizes = answer.text.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(sizes.contains { $0 >= least && $0 < least + 200_000 } && sizes.contains(memory.largest), "\(answer.text)")
            if path.hasPrefix("/v1") { #expect(answer.text.contains("/problems/stored-object-too-large"), "\(answer.text)") }
            #expect(try await maker.post(path, body).status == 200)
        }
        #expect(memory.usage.used == 0)
    }
}
