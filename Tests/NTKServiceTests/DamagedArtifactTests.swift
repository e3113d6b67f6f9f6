import ComputeExecutor
import Foundation
import HTTPTypes
import TensorFormats
import Testing

@testable import NTKService

/// What was damaged in the data directory is never answered with, is named, and is made anew when it is asked for again.
struct DamagedArtifactTests {
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path

        /// A server that keeps nothing in memory.
        func server() throws -> (client: ServiceClient, damages: () -> Int) {
            let (networks, regressors) = (
                try NetworkStore(directory: path + "/networks", capacity: 0), try RegressorLibrary(dataDirectory: path, cacheBytes: 0)
            )
            let service = NTKService(executor: ComputeExecutor(width: 2), networks: networks, regressors: regressors)
            return (ServiceClient(service: service), { networks.damages + regressors.damages })
        }

        /// Every file below, each changed in several ways.
        func forEachDamage(_ directory: String, _ body: (_ what: String) async throws -> Void) async throws {
            for file in try FileManager.default.contentsOfDirectory(atPath: directory).sorted() {
                let url = URL(filePath: "\(directory)/\(file)")
                let whole = try Data(contentsOf: url)
                for (what, bytes) in Self.damages(whole) {
                    try bytes.write(to: url)
                    try await body("\(file) \(what)")
                    // It was made anew where it had to be.
                    try #require(FileManager.default.fileExists(atPath: url.path))
                    try whole.write(to: url)
                }
            }
        }

        private static func damages(_ whole: Data) -> [(String, Data)] {
            var damages = [("cut", whole.dropLast(3)), ("emptied", Data()), ("all zeros", Data(repeating: 0, count: whole.count))]
            for place in [0, whole.count / 3, whole.count / 2, whole.count - 2] {
                var bytes = whole
                bytes[place] ^= 4
                damages.append(("with a bit flipped in byte \(place)", bytes))
            }
            return damages
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func id(_ answer: ServiceClient.Answer) throws -> String {
        guard case .string(let id)? = try answer.object["id"] else { throw CocoaError(.coderReadCorrupt) }
        return id
    }

    private static let fit =
        #"{"kernel":{"architecture":{"type":"mlp","depth":1}},"x_train":[[1,2],[3,4],[5,7]],"y_train":[1,2,4],"ridge":0.1}"#
    private static let network = """
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":2,"parameterization":"standard"}]},
        "parameters":{"0.weight":[[0.1,0.2],[0.3,0.4]],"0.bias":[0.5,0.25]}}
        """

    @Test func regressors() async throws {
        let scratch = Scratch()
        let (client, damages) = try scratch.server()
        let first = try await client.post("/v1/regressors", Self.fit)
        let other = try Self.id(try await client.post("/v1/regressors", Self.fit.replacing("0.1", with: "0.2")))
        let id = try Self.id(first)
        let points = #"{"x":[[1,1],[2,0]]}"#
        let path = "/v1/regressors/\(id)"
        let right = try await client.post(path + "/predictions", points)
        #expect(first.status == 201 && right.status == 200)
        try await scratch.forEachDamage(scratch.path + "/regressors/\(id)") { what in
            let before = damages()
            for answer in [try await client.send(.get, path), try await client.post(path + "/predictions", points)] {
                #expect(answer.status == 500 && answer.text.contains("/problems/damaged-artifact"), "\(what): \(answer.text)")
            }
            #expect(damages() == before + 1)
            // Also by a server that has just started.
            for lister in [client, try scratch.server().client] {
                let list = try await lister.send(.get, "/v1/regressors")
                #expect(list.status == 200 && list.text.contains(#""status":"damaged""#) && list.text.contains(other), "\(what): \(list.text)")
            }
            #expect(try await client.post("/v1/regressors", Self.fit).status == 201, "\(what)")
            #expect(try await client.post(path + "/predictions", points).body == right.body, "\(what)")
            #expect(try await !client.send(.get, "/v1/regressors").text.contains("damaged"), "\(what)")
        }
    }

    @Test func networks() async throws {
        let scratch = Scratch()
        let (client, damages) = try scratch.server()
        let first = try await client.post("/v1/networks", Self.network)
        let other = try Self.id(try await client.post("/v1/networks", Self.network.replacing("0.25", with: "0.75")))
        let id = try Self.id(first)
        let outputs = "{\"network\":\"\(id)\",\"x\":[[1,1],[2,0]]}"
        let right = try await client.post("/v1/network-outputs", outputs)
        #expect(first.status == 201 && right.status == 200, "\(right.text)")
        try await scratch.forEachDamage(scratch.path + "/networks/\(id.dropFirst(4))") { what in
            let before = damages()
            for answer in [try await client.send(.get, "/v1/networks/\(id)"), try await client.post("/v1/network-outputs", outputs)] {
                #expect(answer.status == 500 && answer.text.contains("/problems/damaged-artifact"), "\(what): \(answer.text)")
            }
            #expect(damages() == before + 1)
            let list = try await client.send(.get, "/v1/networks")
            #expect(list.status == 200 && list.text.contains(#""status":"damaged""#) && list.text.contains(other), "\(what): \(list.text)")
            #expect(try await client.post("/v1/networks", Self.network).status == 201, "\(what)")
            #expect(try await client.post("/v1/network-outputs", outputs).body == right.body, "\(what)")
            #expect(try await client.send(.get, "/v1/networks/\(id)").text == first.text, "\(what)")
        }
    }

    /// Of a version that kept no checksums: a regressor is read, and says so; a network is checked by its name.
    @Test func withoutChecksums() async throws {
        let scratch = Scratch()
        let client = try scratch.server().client
        let id = try Self.id(try await client.post("/v1/regressors", Self.fit))
        let directory = scratch.path + "/regressors/\(id)"
        try FileManager.default.removeItem(atPath: directory + "/checksums")
        // What should have them and does not is damaged.
        #expect(try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1]]}"#).status == 500)
        let manifest = URL(filePath: directory + "/manifest.json")
        try String(contentsOf: manifest, encoding: .utf8).replacing("\"version\":2", with: "\"version\":1").write(
            to: manifest, atomically: true, encoding: .utf8)
        #expect(try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1]]}"#).status == 200)
        #expect(try await client.send(.get, "/v1/regressors/\(id)").text.contains(#""unchecked":true"#))

        let network = try Self.id(try await client.post("/v1/networks", Self.network))
        let stored = scratch.path + "/networks/\(network.dropFirst(4))"
        let outputs = "{\"network\":\"\(network)\",\"x\":[[1,1]]}"
        try FileManager.default.removeItem(atPath: stored + "/checksums")
        #expect(try await client.post("/v1/network-outputs", outputs).status == 200)
        let tensors = URL(filePath: stored + "/parameters.safetensors")
        var bytes = try Data(contentsOf: tensors)
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: tensors)
        #expect(try await client.post("/v1/network-outputs", outputs).status == 500)
    }
}
