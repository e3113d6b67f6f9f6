import ComputeExecutor
import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

struct RegressorEndpointTests {
    /// A data directory that goes when the test ends, and servers on it.
    final class Scratch {
        let path = NSTemporaryDirectory() + "regressor-tests-" + UUID().uuidString

        func server(cacheBytes: Int = 1 << 20) throws -> ServiceClient {
            ServiceClient(
                service: NTKService(
                    executor: ComputeExecutor(width: 2), regressors: try RegressorLibrary(dataDirectory: path, cacheBytes: cacheBytes)))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    static let kernel = #"{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"kind":"ntk"}"#
    static let training = #""x_train":[[0,1],[1,0.5],[2,-1],[2,-1],[0.3,0.3]],"y_train":[[0,1],[1,2],[0,1],[1,1],[3,0]],"ridge":0.01"#
    static let fit = #"{"kernel":\#(kernel),\#(training)}"#

    static func id(_ answer: ServiceClient.Answer) throws -> String {
        guard case .string(let id) = try answer.object["id"] else { throw JSONError(.shape, at: "/id", answer.text) }
        return id
    }

    @Test func whatIsStoredHasTagsThatChangeWithIt() async throws {
        let scratch = Scratch()
        let client = try scratch.server()
        let regressor = "/v1/regressors/" + (try Self.id(await client.post("/v1/regressors", Self.fit)))
        let network =
            "/v1/networks/"
            + (try Self.id(
                await client.post("/v1/networks", #"{"architecture":{"type":"dense","width":1},"initialization":{"seed":1},"input_shape":[2]}"#)))
        for path in [regressor, "/v1/regressors", network, "/v1/networks"] {
            let first = try await client.send(.get, path)
            let tag = try #require(first.fields[.eTag])
            #expect(first.status == 200 && first.fields[.cacheControl] == "no-cache")
            let again = try await client.send(.get, path, [.ifNoneMatch: "\"x\", W/\(tag)"])
            #expect(again.status == 304 && again.body.isEmpty && again.fields[.eTag] == tag)
            #expect(try await client.send(.get, path, [.ifNoneMatch: "\"x\""]).text == first.text)
        }
        // A list that has grown is another.
        let tag = try #require(try await client.send(.get, "/v1/networks").fields[.eTag])
        _ = try await client.post("/v1/networks", #"{"architecture":{"type":"dense","width":1},"initialization":{"seed":2},"input_shape":[2]}"#)
        #expect(try await client.send(.get, "/v1/networks", [.ifNoneMatch: tag]).status == 200)
    }

    @Test func fitsOnceAndPredictsAsThePredictionEndpoint() async throws {
        let scratch = Scratch()
        let client = try scratch.server()
        let made = try await client.post("/v1/regressors", Self.fit)
        let id = try Self.id(made)
        #expect(made.status == 201 && made.fields[.location] == "/v1/regressors/\(id)" && made.text.contains(#""n_train":5"#), "\(made.text)")
        // The same with its defaults written out, and members in another order.
        let again = try await client.post(
            "/v1/regressors",
            #"{\#(Self.training),"posterior":"gp","on_singular":"minimum_norm","kernel":{"kind":"ntk","architecture":{"b_std":0.1,"depth":2,"type":"mlp"}}}"#
        )
        #expect(try again.status == 200 && again.text == made.text && Self.id(again) == id, "\(again.text)")
        let other = try await client.post("/v1/regressors", Self.fit.replacing("0.01", with: "0.02"))
        #expect(try other.status == 201 && Self.id(other) != id)

        for covariance in ["none", "diagonal", "full"] {
            let own = try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1],[2,-1],[0,0.1]],"covariance":"\#(covariance)"}"#)
            let direct = try await client.post(
                "/v1/predictions", #"{"kernel":\#(Self.kernel),\#(Self.training),"x_test":[[1,1],[2,-1],[0,0.1]],"covariance":"\#(covariance)"}"#)
            #expect(own.status == 200 && direct.text.hasPrefix(own.text.dropLast()), "\(own.text) \(direct.text)")
        }
    }

    @Test func anotherServerSeesTheSame() async throws {
        let scratch = Scratch()
        let (first, second) = (try scratch.server(), try scratch.server(cacheBytes: 0))
        let labelled = #"{"kernel":\#(Self.kernel),"x_train":[[0,1],[1,0.5],[2,-1],[0.5,0.4]],"labels":["a","b","a","b"],"posterior":"ensemble"}"#
        let id = try Self.id(try await first.post("/v1/regressors", labelled))
        for request in [#"{"x":[[1,1],[2,-1]]}"#, #"{"x":[[1,1],[2,-1]],"covariance":"full"}"#] {
            let (one, other) = (
                try await first.post("/v1/regressors/\(id)/predictions", request), try await second.post("/v1/regressors/\(id)/predictions", request)
            )
            #expect(one.status == 200 && one.text == other.text && one.text.contains("probabilities"), "\(one.text) \(other.text)")
        }
        #expect(try await second.send(.get, "/v1/regressors/\(id)").text == first.send(.get, "/v1/regressors/\(id)").text)
        #expect(try await second.send(.delete, "/v1/regressors/\(id)").status == 204)
        #expect(try await first.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1]]}"#).status == 404)
        #expect(try await first.send(.get, "/v1/regressors/\(id)").status == 404)
        #expect(try await first.send(.delete, "/v1/regressors/\(id)").status == 404)
    }

    @Test func listsInPages() async throws {
        let scratch = Scratch()
        let client = try scratch.server()
        var ids: Set<String> = []
        for ridge in 1...5 { ids.insert(try Self.id(try await client.post("/v1/regressors", Self.fit.replacing("0.01", with: "0.0\(ridge)1")))) }
        var (seen, path): ([String], String) = ([], "/v1/regressors?limit=2")
        while true {
            let page = try await client.send(.get, path).object
            guard case .array(let regressors) = page["regressors"] else { break }
            for case .object(let regressor) in regressors { if case .string(let id) = regressor["id"] { seen.append(id) } }
            guard case .string(let next) = page["next"] else { break }
            path = "/v1/regressors?limit=2&after=\(next)"
        }
        #expect(Set(seen) == ids && seen == seen.sorted() && seen.count == 5)
        for bad in ["limit=0", "limit=x", "limit=1001", "after=1", "page=2"] {
            #expect(try await client.send(.get, "/v1/regressors?\(bad)").status == 400)
        }
    }

    @Test func ofGivenMatrices() async throws {
        let scratch = Scratch()
        let client = try scratch.server()
        let id = try Self.id(
            try await client.post("/v1/regressors", #"{"kernel":{"matrices":{"train_train":[[2,1],[1,3]]}},"y_train":[1,2]}"#))
        let answer = try await client.post(
            "/v1/regressors/\(id)/predictions", #"{"test_train":[[1,1]],"test_test":[4],"covariance":"diagonal"}"#)
        #expect(try abs(answer.array("mean").elements[0] - 0.8) < 1e-14 && abs(answer.array("variance").elements[0] - 3.4) < 1e-14, "\(answer.text)")
        #expect(try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1,1]]}"#).status == 422)
    }

    @Test(arguments: ["none", String(repeating: "0", count: 64), "../../etc"])
    func unknownIDs(id: String) async throws {
        let scratch = Scratch()
        let client = try scratch.server()
        #expect(try await client.send(.get, "/v1/regressors/\(id)").status == 404)
        #expect(try await client.post("/v1/regressors/\(id)/predictions", #"{"x":[[1]]}"#).status == 404)
    }

    @Test func damagedFilesAreAFaultOfOurs() async throws {
        let scratch = Scratch()
        let client = try scratch.server(cacheBytes: 0)
        let id = try Self.id(try await client.post("/v1/regressors", Self.fit))
        let tensors = scratch.path + "/regressors/\(id)/tensors.safetensors"
        let whole = try Foundation.Data(contentsOf: URL(filePath: tensors))
        for count in [0, 7, 20, whole.count - 1] {
            try whole.prefix(count).write(to: URL(filePath: tensors))
            let answer = try await client.send(.get, "/v1/regressors/\(id)")
            #expect(answer.status == 500 && answer.text.contains("/problems/damaged-artifact"), "\(answer.text)")
        }
    }

    @Test func withoutADataDirectory() async throws {
        #expect(try await ServiceClient().post("/v1/regressors", Self.fit).status == 503)
    }
}
