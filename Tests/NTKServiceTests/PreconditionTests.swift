import ComputeExecutor
import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// RFC 9110 §13 on every resource that has a tag.
@Suite("Preconditions")
struct PreconditionTests {
    private static let past = "Thu, 01 Jan 1970 00:00:00 GMT"
    private static let future = "Fri, 01 Jan 2100 00:00:00 GMT"

    /// A service on a directory, and paths of all resources with a tag.
    private func resources(_ scratch: RegressorEndpointTests.Scratch) async throws -> (client: ServiceClient, paths: [String]) {
        let client = try scratch.server()
        let regressor = try RegressorEndpointTests.id(await client.post("/v1/regressors", RegressorEndpointTests.fit))
        let network = try RegressorEndpointTests.id(
            await client.post("/v1/networks", #"{"architecture":{"type":"dense","width":1},"initialization":{"seed":1},"input_shape":[2]}"#))
        return (
            client,
            [
                "/", "/docs", "/page/main.js", "/openapi.yaml", "/openapi.json", "/v1/regressors", "/v1/regressors/\(regressor)", "/v1/networks",
                "/v1/networks/\(network)",
            ]
        )
    }

    @Test("The order of RFC 9110 §13.2.2")
    func order() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let (client, paths) = try await resources(scratch)
        for path in paths {
            let tag = try #require(try await client.send(.get, path).fields[.eTag])
            let cases: [([HTTPField.Name: String], Int)] = [
                ([.ifMatch: tag], 200), ([.ifMatch: "*"], 200), ([.ifMatch: "\"x\", \(tag)"], 200), ([.ifMatch: "\"x\""], 412),
                ([.ifMatch: "W/\(tag)"], 412),
                ([.ifMatch: "nonsense"], 412), ([.ifMatch: "\"a,\(tag.dropFirst())"], 412), ([.ifNoneMatch: tag], 304),
                ([.ifNoneMatch: "W/\(tag)"], 304),
                ([.ifNoneMatch: "*"], 304), ([.ifNoneMatch: "\"a\",, \(tag)"], 304), ([.ifNoneMatch: "\"x\""], 200),
                ([.ifNoneMatch: "nonsense"], 200),
                ([.ifMatch: "\"x\"", .ifNoneMatch: tag], 412), ([.ifMatch: tag, .ifNoneMatch: tag], 304),
                // Of dates these resources know nothing: then they are ignored (§13.1.3, §13.1.4).
                ([.ifModifiedSince: Self.future], 200), ([.ifUnmodifiedSince: Self.past], 200),
                ([.ifNoneMatch: tag, .ifModifiedSince: Self.past], 304),
            ]
            for (fields, status) in cases {
                for method in [HTTPRequest.Method.get, .head] {
                    var all = HTTPFields()
                    for (name, value) in fields { all[name] = value }
                    let answer = try await client.send(method, path, all)
                    #expect(answer.status == status, "\(method) \(path) \(fields)")
                    if status == 304 { #expect(answer.body.isEmpty && answer.fields[.eTag] == tag) }
                    if status == 412 { #expect(answer.text.contains("/problems/precondition-failed")) }
                }
            }
        }
    }

    @Test("What is deleted is what the client knows")
    func deletions() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let (client, paths) = try await resources(scratch)
        for path in paths where path.utf8.count > 40 {
            let tag = try #require(try await client.send(.get, path).fields[.eTag])
            #expect(try await client.send(.delete, path, [.ifMatch: "\"x\""]).status == 412)
            #expect(try await client.send(.delete, path, [.ifNoneMatch: tag]).status == 412)
            #expect(try await client.send(.get, path).status == 200)
            #expect(try await client.send(.delete, path, [.ifMatch: tag]).status == 204)
            #expect(try await client.send(.delete, path, [.ifMatch: tag]).status == 404)
        }
    }
}
