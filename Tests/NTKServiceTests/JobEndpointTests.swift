import ComputeExecutor
import Foundation
import HTTP1
import HTTPTypes
import Jobs
import TensorFormats
import Testing

@testable import NTKService

final class JobEndpointTests {
    let directory = NSTemporaryDirectory() + "job-endpoints-" + UUID().uuidString
    let board: JobBoard
    let client: ServiceClient

    init() throws {
        board = try JobBoard(directory: directory + "/jobs")
        client = ServiceClient(
            service: NTKService(
                executor: ComputeExecutor(width: 2), regressors: try RegressorLibrary(dataDirectory: directory, cacheBytes: 1 << 20), jobs: board))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static let prefer = HTTPField.Name("Prefer") ?? .via
    static let key = HTTPField.Name("Idempotency-Key") ?? .via
    static let replayed = HTTPField.Name("Idempotency-Replayed") ?? .via

    private func post(_ path: String, _ body: String, _ fields: HTTPFields = [prefer: "respond-async"]) async throws -> ServiceClient.Answer {
        var fields = fields
        fields[.contentType] = "application/json"
        return try await client.send(.post, path, fields, body: Array(body.utf8))
    }

    private func ended(_ location: String) async throws -> ServiceClient.Answer {
        for _ in 0..<2_000 {
            let job = try await client.send(.get, location)
            if case .string(let status)? = try job.object["status"], !["queued", "running"].contains(status) { return job }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw JSONError(.shape, at: location, "the job does not end")
    }

    static let kernel = #"{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"x1":POINTS,"kinds":["nngp","ntk"],"precision":"PRECISION"}"#
    static func kernel(_ count: Int, _ precision: String = "float64") -> String {
        let points = (0..<count).map { "[\($0 % 7),\(Double($0) / 8 - 3),1]" }.joined(separator: ",")
        return kernel.replacing("POINTS", with: "[\(points)]").replacing("PRECISION", with: precision)
    }

    /// A job's result is, bit for bit, what the request would have been answered at once; in every form.
    @Test(arguments: ["float64", "float32"])
    func theResultIsTheAnswer(precision: String) async throws {
        client.service.startJobs()
        let body = Self.kernel(150, precision)
        let accepted = try await post("/v1/kernels", body)
        #expect(accepted.status == 202 && accepted.fields[HTTPField.Name("Preference-Applied") ?? .via] == "respond-async")
        let location = try #require(accepted.fields[.location])
        #expect(try await ended(location).text.contains(#""status":"succeeded","progress":1"#))
        for format in ["json", "npz"] {
            let now = try await post("/v1/kernels?format=\(format)", body, [:])
            let result = try await client.send(.get, location + "/result?format=\(format)")
            #expect(result.status == 200 && result.body == now.body && result.fields[.contentType] == now.fields[.contentType])
        }
        #expect(try await client.send(.get, location + "/result", [.accept: "application/x-npy"]).status == 406)
        await board.checkpoint()
    }

    /// Whatever an estimate of an answer's error comes from, a job's result tells the same.
    @Test(arguments: [
        #"{"architecture":{"type":"mlp","depth":1,"activation":"tanh"},"x1":[[1,2],[0.3,-1],[4,4]]}"#,
        #"""
        {"architecture":{"type":"serial","layers":[{"type":"dense"},{"type":"global_avg_pool"},{"type":"dense","b_std":0.0783}]},
        "x1":[[[-589124.97],[0.0]],[[1662966.8915070982],[-1662966.8915070982]]],"x2":[[[1662966.8915],[-1662966.8915070982]]]}
        """#,
    ])
    func theResultHasTheEstimate(body: String) async throws {
        client.service.startJobs()
        let accepted = try await post("/v1/kernels", body)
        let location = try #require(accepted.fields[.location])
        #expect(try await ended(location).text.contains(#""status":"succeeded""#))
        let (now, result) = (try await post("/v1/kernels", body, [:]), try await client.send(.get, location + "/result"))
        #expect(now.text.contains(#""error_estimate""#) && result.body == now.body, "\(result.text), at once \(now.text)")
        await board.checkpoint()
    }

    @Test func everyComputationCanBeAJob() async throws {
        client.service.startJobs()
        let network =
            #"{"architecture":{"type":"serial","layers":[{"type":"dense","width":3},{"type":"erf"},{"type":"dense","width":2}]},"initialization":{"seed":0}}"#
        let kernel = #"{"architecture":{"type":"mlp","depth":1,"b_std":0.1}}"#
        let train = #""x_train":[[0],[1],[2]],"y_train":[0,1,0]"#
        for (path, body) in [
            ("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1,2]],"diagonal":true}"#),
            ("/v1/empirical-kernels", #"{"network":\#(network),"x1":[[1,2],[0,1]],"layerwise":true}"#),
            ("/v1/network-outputs", #"{"network":\#(network),"x":[[1,2]]}"#),
            ("/v1/predictions", #"{"kernel":\#(kernel),\#(train),"x_test":[[0.5]],"covariance":"diagonal"}"#),
            ("/v1/dynamics", #"{"kernel":\#(kernel),\#(train),"x_test":[[0.5]],"times":[0,1]}"#),
            ("/v1/spectra", #"{"kernel":\#(kernel),"x":[[0],[1]],"y":[1,2]}"#),
            ("/v1/convergence", #"{"architecture":{"type":"mlp","depth":1},"x":[[1,2]],"widths":[4,8],"samples":2}"#),
            ("/v1/finite-width", #"{"architecture":{"type":"mlp","depth":2},"x1":[[1,2],[0,1]],"widths":[4],"kinds":["ntk","nngp"]}"#),
            ("/v1/learning-curves", #"{"spectrum":{"eigenvalues":[1,0.1],"powers":[1,1]},"sample_sizes":[1,10],"ridge":"optimal"}"#),
            ("/v1/trainings", #"{"network":\#(network),"x_train":[[1,0],[0,1]],"y_train":[[1,0],[0,1]],"steps":[0,1]}"#),
            ("/v1/regressors", #"{"kernel":\#(kernel),\#(train)}"#),
        ] {
            let accepted = try await post(path, body)
            #expect(accepted.status == 202, "\(path): \(accepted.text)")
            let location = try #require(accepted.fields[.location])
            #expect(try await ended(location).text.contains(#""status":"succeeded""#), "\(path)")
            let result = try await client.send(.get, location + "/result")
            let now = try await post(path, body, [:])
            #expect(result.status == 200 && result.body == now.body, "\(path): \(result.text)")
            #expect(result.fields[.contentLocation] == now.fields[.location])
        }
        await board.checkpoint()
    }

    @Test func whatIsWrongIsToldAtOnce() async throws {
        let answer = try await post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1],[2,3]]}"#)
        #expect(answer.status == 422)
        #expect(try await client.send(.get, "/v1/jobs").text == #"{"jobs":[],"next":null}"#)
        #expect(try await post("/v1/kernels?estimate_only=true", Self.kernel(3)).status == 200)
        for path in ["/v1/jobs/x", "/v1/jobs/job_0123456789abcdef0123456789abcdef", "/v1/jobs/job_x/result", "/v1/jobs/job_x/events"] {
            #expect(try await client.send(.get, path).status == 404)
        }
    }

    @Test func whatFailsLaterIsTheResult() async throws {
        client.service.startJobs()
        let body =
            #"{"kernel":{"architecture":{"type":"mlp","depth":1}},"x_train":[[1,0],[2,0]],"y_train":[1,3],"x_test":[[1,1]],"on_singular":"refuse"}"#
        let location = try #require(try await post("/v1/predictions", body).fields[.location])
        #expect(try await ended(location).text.contains(#""status":"failed""#))
        let result = try await client.send(.get, location + "/result")
        #expect(result.status == 422 && result.fields[.contentType] == "application/problem+json" && result.text.contains("singular-system"))
        await board.checkpoint()
    }

    @Test func unfinishedAndCancelled() async throws {
        let location = try #require(try await post("/v1/kernels", Self.kernel(3)).fields[.location])
        let early = try await client.send(.get, location + "/result")
        #expect(early.status == 409 && early.fields[.retryAfter] == "1" && early.text.contains("job-not-finished"))
        // It has no tag: one that is named does not match (RFC 9110 §13.1.1), and that it is there is what "*" says.
        for condition: HTTPFields in [[.ifMatch: "\"x\""], [.ifNoneMatch: "*"]] {
            let refused = try await client.send(.delete, location, condition)
            #expect(refused.status == 412 && refused.text.contains("/problems/precondition-failed"), "\(refused.text)")
        }
        #expect(try await client.send(.delete, location, [.ifMatch: "*", .ifNoneMatch: "\"x\""]).text.contains(#""status":"cancelled""#))
        #expect(try await client.send(.get, location + "/result").text.contains("job-cancelled"))
        let events = try await client.send(.get, location + "/events")
        #expect(events.text.contains("event: cancelled\ndata: {"))
        #expect(try await client.send(.delete, location).status == 204)
        #expect(try await client.send(.get, location).status == 404)
        #expect(try await client.send(.delete, location).status == 404)
    }

    @Test func rangesAndTags() async throws {
        client.service.startJobs()
        let location = try #require(try await post("/v1/kernels", Self.kernel(100)).fields[.location]) + "/result"
        _ = try await ended(String(location.dropLast(7)))
        for format in ["json", "npz"] {
            let path = location + "?format=\(format)"
            let whole = try await client.send(.get, path)
            let count = whole.body.count
            let tag = try #require(whole.fields[.eTag])
            #expect(whole.fields[.acceptRanges] == "bytes")
            for (range, part) in [
                ("bytes=0-0", 0..<1), ("bytes=10-99", 10..<100), ("bytes=\(count - 5)-", count - 5..<count), ("bytes=-7", count - 7..<count),
                ("bytes=1000-9999999999999999999999", 1000..<count), ("bytes=0-", 0..<count), ("bytes=5000-\(count / 2)", 5000..<count / 2 + 1),
            ] {
                let answer = try await client.send(.get, path, [.range: range])
                #expect(answer.status == 206 && answer.body == Array(whole.body[part]), "\(format) \(range)")
                #expect(answer.fields[.contentRange] == "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(count)")
            }
            for range in ["bytes=\(count)-", "bytes=-0"] {
                let answer = try await client.send(.get, path, [.range: range])
                #expect(answer.status == 416 && answer.fields[.contentRange] == "bytes */\(count)")
            }
            for range in ["bytes=5-4", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=-", "bytes=+1-2"] {
                #expect(try await client.send(.get, path, [.range: range]).status == 200, "\(range)")
            }
            #expect(try await client.send(.get, path, [.range: "bytes=0-1", .ifRange: tag]).status == 206)
            #expect(try await client.send(.get, path, [.range: "bytes=0-1", .ifRange: "\"other\""]).status == 200)
            #expect(try await client.send(.get, path, [.range: "bytes=0-1", .ifRange: "W/" + tag]).status == 200)
            for condition in [tag, "W/" + tag, "\"x\", " + tag, "*"] {
                let answer = try await client.send(.get, path, [.ifNoneMatch: condition])
                #expect(answer.status == 304 && answer.fields[.eTag] == tag && answer.body.isEmpty)
            }
            #expect(try await client.send(.get, path, [.ifNoneMatch: "\"x\""]).status == 200)
            // RFC 9110 §13: by date as well, and 412 before anything else.
            let date = try #require(whole.fields[.lastModified])
            let (past, future) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT")
            for (fields, status) in [
                ([.ifModifiedSince: date], 304), ([.ifModifiedSince: future], 304), ([.ifModifiedSince: past], 200), ([.ifModifiedSince: "x"], 200),
                ([.ifModifiedSince: future, .ifNoneMatch: "\"x\""], 200), ([.ifUnmodifiedSince: date], 200), ([.ifUnmodifiedSince: past], 412),
                ([.ifUnmodifiedSince: past, .ifMatch: tag], 200), ([.ifMatch: "\"x\""], 412), ([.ifMatch: "W/" + tag], 412), ([.ifMatch: "*"], 200),
                ([.ifMatch: "\"x\"", .range: "bytes=0-1"], 412), ([.ifMatch: tag, .range: "bytes=0-1"], 206),
                ([.ifRange: date, .range: "bytes=0-1"], 206), ([.ifRange: past, .range: "bytes=0-1"], 200),
                ([.ifNoneMatch: tag, .range: "bytes=0-1"], 304),
            ] as [(HTTPFields, Int)] {
                #expect(try await client.send(.get, path, fields).status == status, "\(fields)")
            }
        }
        await board.checkpoint()
    }

    @Test func eventsGoOnWhereTheyWereLeft() async throws {
        client.service.startJobs()
        let location = try #require(try await post("/v1/kernels", Self.kernel(20)).fields[.location])
        let events = try await client.send(.get, location + "/events")
        #expect(events.fields[.contentType] == "text/event-stream" && events.fields[.cacheControl] == "no-store")
        #expect(events.fields[HTTPField.Name("X-Accel-Buffering") ?? .via] == "no" && events.length == nil)
        let all = events.text.components(separatedBy: "\n\n").filter { $0.hasPrefix("id: ") }
        #expect(all.last?.contains("event: succeeded") == true)
        let ids = all.compactMap { $0.split(separator: "\n").first?.dropFirst(4) }.map(String.init)
        let again = try await client.send(.get, location + "/events", [HTTPField.Name("Last-Event-ID") ?? .via: ids[ids.count - 2]])
        #expect(again.text.components(separatedBy: "\n\n").filter { $0.hasPrefix("id: ") } == [all[all.count - 1]])
        let end = try await client.send(.get, location + "/events", [HTTPField.Name("Last-Event-ID") ?? .via: ids[ids.count - 1]])
        #expect(end.status == 204)
        await board.checkpoint()
    }

    @Test func theSameKeyTheSameAnswer() async throws {
        let body = Self.kernel(3)
        let first = try await post("/v1/kernels", body, [Self.key: "\"a\""])
        let again = try await post("/v1/kernels", body, [Self.key: "a"])
        #expect(first.status == 200 && again.body == first.body && again.fields[Self.replayed] == "true" && first.fields[Self.replayed] == nil)
        let other = try await post("/v1/kernels", Self.kernel(4), [Self.key: "a"])
        #expect(other.status == 422 && other.text.contains("idempotency-key-reused"))
        #expect(try await post("/v1/kernels", Self.kernel(4), [Self.key: "b"]).status == 200)
        #expect(try await post("/v1/kernels", Self.kernel(4), [Self.key: "a", .authorization: "Bearer other"]).status == 200)
        #expect(try await post("/v1/kernels", body, [Self.key: ""]).status == 400)
        // A mistake is an answer, too.
        let wrong = try await post("/v1/kernels", "{}", [Self.key: "c"])
        #expect(wrong.status == 422)
        #expect(try await post("/v1/kernels", "{}", [Self.key: "c"]).fields[Self.replayed] == "true")
    }

    @Test func jobsKnowTheirKeysAfterARestart() async throws {
        let fields: HTTPFields = [Self.prefer: "respond-async", Self.key: "k"]
        let first = try #require(try await post("/v1/kernels", Self.kernel(3), fields).fields[.location])
        #expect(try await post("/v1/kernels", Self.kernel(3), fields).fields[.location] == first)
        let restarted = ServiceClient(
            service: NTKService(executor: ComputeExecutor(width: 1), jobs: try JobBoard(directory: directory + "/jobs")))
        var request = fields
        request[.contentType] = "application/json"
        let again = try await restarted.send(.post, "/v1/kernels", request, body: Array(Self.kernel(3).utf8))
        #expect(again.status == 202 && again.fields[.location] == first)
        #expect(try await restarted.send(.post, "/v1/kernels", request, body: Array(Self.kernel(4).utf8)).status == 422)
    }

    @Test func aKeyInUse() throws {
        let table = IdempotencyTable(keys: 2, bytes: 10, age: .seconds(1))
        func key(_ text: String) throws -> IdempotencyKey {
            try #require(try IdempotencyKey(HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/", headerFields: [Self.key: text])))
        }
        func isNew(_ finding: IdempotencyTable.Finding) -> Bool { if case .new = finding { true } else { false } }
        let start = ContinuousClock.now
        #expect(isNew(table.begin(try key("a"), fingerprint: "1", accept: "", now: start)))
        guard case .inProgress = table.begin(try key("a"), fingerprint: "1", accept: "", now: start) else { throw JobFailure(content: []) }
        guard case .other = table.begin(try key("a"), fingerprint: "2", accept: "", now: start) else { throw JobFailure(content: []) }
        table.end(try key("a"), ServerResponse(body: .bytes([1, 2])))
        guard case .answer = table.begin(try key("a"), fingerprint: "1", accept: "", now: start) else { throw JobFailure(content: []) }
        guard case .again = table.begin(try key("a"), fingerprint: "1", accept: "x", now: start) else { throw JobFailure(content: []) }
        // Forgotten after a time, and the oldest where there are too many.
        #expect(isNew(table.begin(try key("a"), fingerprint: "2", accept: "", now: start + .seconds(2))))
        table.end(try key("a"), ServerResponse(body: .bytes([1, 2])))
        for text in ["b", "c"] {
            #expect(isNew(table.begin(try key(text), fingerprint: "1", accept: "", now: start + .seconds(2))))
            table.end(try key(text), ServerResponse(body: .bytes([1, 2, 3, 4, 5, 6])))
        }
        #expect(isNew(table.begin(try key("a"), fingerprint: "1", accept: "", now: start + .seconds(2))))
    }
}
