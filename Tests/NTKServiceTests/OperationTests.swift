import ComputeExecutor
import Foundation
import HTTPTypes
import Jobs
import Testing

@testable import NTKService
// Foundation has an Operation, too.
@testable import class NTKService.Operation

/// The records of operations and of problems against the document, both ways.
struct OperationTests {
    private let document: [String: Any]

    init() throws {
        let json = try #require(OpenAPIDocument.json)
        document = try #require(JSONSerialization.jsonObject(with: Data(json.content)) as? [String: Any])
    }

    /// A member of an object, or what it refers to.
    private func resolved(_ value: Any?) -> [String: Any] {
        var value = value as? [String: Any] ?? [:]
        while let reference = value["$ref"] as? String {
            let parts = reference.dropFirst(2).split(separator: "/")
            value = parts.reduce(document) { $0[String($1)] as? [String: Any] ?? [:] }
        }
        return value
    }

    private func described(_ operation: Operation) throws -> [String: Any] {
        let path = try #require((document["paths"] as? [String: Any])?[operation.path] as? [String: Any], "\(operation.path)")
        return try #require(path[operation.method.rawValue.lowercased()] as? [String: Any], "\(operation.method) \(operation.path)")
    }

    @Test func theDocumentHasAllOperationsAndNoOther() throws {
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var names: Set<String> = []
        for (path, item) in paths {
            for method in ["get", "post", "put", "patch", "delete"] where item[method] != nil { names.insert("\(method.uppercased()) \(path)") }
        }
        #expect(names == Set(Operation.all.map { "\($0.method.rawValue) \($0.path)" }))
        #expect(names.count == Operation.all.count, "each operation once")
    }

    @Test func theDocumentHasTheirQueries() throws {
        for operation in Operation.all {
            let parameters = (try described(operation)["parameters"] as? [Any] ?? []).map(resolved).filter { $0["in"] as? String == "query" }
            #expect(Set(parameters.compactMap { $0["name"] as? String }) == Set(operation.query.map(\.name)), "\(operation.method) \(operation.path)")
            for parameter in operation.query {
                let schema = resolved(parameters.first { $0["name"] as? String == parameter.name }?["schema"])
                let words = schema["type"] as? String == "boolean" ? ["true", "false"] : schema["enum"] as? [String]
                #expect(words.map(Set.init) == parameter.values.map(Set.init), "\(operation.path) \(parameter.name)")
            }
        }
    }

    @Test func theDocumentHasTheirBodiesAndAudience() throws {
        for operation in Operation.all {
            let node = try described(operation)
            let types = (resolved(node["requestBody"])["content"] as? [String: Any] ?? [:]).keys
            #expect(Set(types) == Set(operation.bodies?.types ?? []), "\(operation.method) \(operation.path)")
            #expect(
                (node["security"] as? [Any])?.isEmpty == true ? operation.audience == .everyone : operation.audience != .everyone, "\(operation.path)"
            )
        }
    }

    /// The forms of a good answer, of which one array alone is only where an answer may be one; what computes can also be a job, and has a deadline.
    @Test func theDocumentHasTheirAnswers() throws {
        for operation in Operation.all {
            let node = try described(operation)
            let responses = node["responses"] as? [String: Any] ?? [:]
            let place = "\(operation.method) \(operation.path)"
            let types = ["200", "201"].flatMap { (resolved(responses[$0])["content"] as? [String: Any] ?? [:]).keys }
            if !types.isEmpty, types != ["*/*"] {
                let missing = Set(operation.answerTypes).symmetricDifference(types)
                #expect(missing.isEmpty || operation.hasForms && missing.isSubset(of: ["application/x-npy", "application/x-npz"]), "\(place)")
            }
            let isComputed = if case .compute = operation.action { true } else { false }
            #expect((responses["202"] != nil) == isComputed, "\(place)")
            let parameters = (node["parameters"] as? [Any] ?? []).map(resolved).filter { $0["in"] as? String == "header" }
            for field in ["Prefer", "Request-Timeout"] {
                #expect(parameters.contains { $0["name"] as? String == field } == isComputed, "\(place) \(field)")
            }
        }
    }

    @Test func theDocumentEnumeratesTheProblems() throws {
        let schema = resolved(["$ref": "#/components/schemas/ProblemType"])
        #expect(schema["enum"] as? [String] == ProblemType.allCases.map(\.reference))
        #expect(ProblemType.allCases.map(\.rawValue) == ProblemType.allCases.map(\.rawValue).sorted())
    }

    // MARK: Problems

    @Test(arguments: ProblemType.allCases)
    func aProblemHasAPage(type: ProblemType) async throws {
        let client = ServiceClient()
        let text = try await client.send(.get, type.reference)
        #expect(text.status == 200 && text.fields[.contentType] == "text/plain; charset=utf-8")
        let browser = try await client.send(.get, type.reference, [.accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"])
        #expect(browser.status == 200 && browser.fields[.contentType] == "text/html; charset=utf-8" && browser.fields[.vary] == "Accept")
        #expect(browser.fields[.contentSecurityPolicy] != nil && text.fields[.eTag] != browser.fields[.eTag])
        for word in [type.reference, "What to do"] { #expect(text.text.contains(word) && browser.text.contains(word)) }
        #expect(!type.words.meaning.isEmpty && !type.words.remedy.isEmpty && !browser.text.contains("<script"))
        for form in [HTTPFields(), [.accept: "text/html"]] {
            #expect(try await client.send(.get, "/problems", form).text.contains(type.reference))
        }
    }

    @Test func whatIsNoProblemHasNoPage() async throws {
        let client = ServiceClient()
        for path in ["/problems/none", "/problems/", "/problems/not-found/x", "/problems/Not-Found"] {
            #expect(try await client.send(.get, path).status == 404, "\(path)")
        }
        #expect(try await client.send(.get, "/problems", [.accept: "application/json"]).status == 406)
        #expect(try await client.send(.get, "/docs").text.contains("href=\"/problems\""))
    }
}

/// What every list and every query has in common.
final class QueryTests {
    private let directory = NSTemporaryDirectory() + "queries-" + UUID().uuidString
    private let client: ServiceClient

    init() throws {
        client = ServiceClient(
            service: NTKService(
                executor: ComputeExecutor(width: 1), regressors: try RegressorLibrary(dataDirectory: directory, cacheBytes: 1 << 20),
                jobs: try JobBoard(directory: directory + "/jobs")))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private static let lists = ["/v1/networks", "/v1/regressors", "/v1/jobs"]

    @Test(arguments: lists)
    func aListHasOnePaging(path: String) async throws {
        for limit in ["1", "100", "1000", "007"] { #expect(try await client.send(.get, "\(path)?limit=\(limit)").status == 200, "\(limit)") }
        for limit in ["0", "1001", "-1", "+5", "%2B5", "5.0", "1e2", "0x5", "", "%205", "five", "99999999999999999999", "%D9%A5"] {
            let answer = try await client.send(.get, "\(path)?limit=\(limit)")
            #expect(answer.status == 400 && answer.text.contains("/problems/bad-parameter"), "\(limit) \(answer.text)")
            #expect(answer.text.contains("an integer from 1 to 1000 expected"))
        }
        for cursor in ["", "x", "net_", "1-job_"] {
            let answer = try await client.send(.get, "\(path)?after=\(cursor)")
            #expect(answer.status == 400 && answer.text.contains("/problems/bad-parameter") && answer.text.contains("what next"), "\(answer.text)")
        }
    }

    /// One page where no limit is asked for, of the same length everywhere.
    @Test func withoutALimitThereAreAHundred() throws {
        let target = try #require(Target("/v1/jobs"))
        #expect(try ListPage(target, cursor: JobCursor.init).limit == 100)
        #expect(try ListPage(target, cursor: JobCursor.init).after == nil)
    }

    /// A parameter of another method of the same path, or of another path.
    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/regressors?estimate_only=true"), (.get, "/v1/networks?estimate_only=true"), (.post, "/v1/regressors?limit=abc"),
        (.post, "/v1/regressors?limit=1"), (.post, "/v1/networks?limit=1"), (.post, "/v1/networks?after=x"), (.post, "/v1/regressors?format=json"),
        (.get, "/v1/jobs?format=json"), (.get, "/v1/regressors?status=failed"), (.post, "/v1/kernels?limit=1"), (.get, "/livez?format=json"),
        (.delete, "/v1/jobs/job_0?format=json"), (.get, "/v1/jobs/job_0/result?estimate_only=true"), (.head, "/v1/regressors?estimate_only=true"),
    ])
    func aParameterBelongsToPathAndMethod(method: HTTPRequest.Method, path: String) async throws {
        let body = Array(#"{"kernel":{"architecture":{"type":"dense"}},"x_train":[[1]],"y_train":[1],"ridge":1}"#.utf8)
        let answer = try await client.send(method, path, [.contentType: "application/json"], body: method == .post ? body : [])
        #expect(answer.status == 400 && answer.text.contains("/problems/unknown-parameter"), "\(answer.text)")
    }

    @Test func aWordThatAParameterCannotBeIsABadParameter() async throws {
        for path in ["/v1/kernels?format=xml", "/v1/kernels?estimate_only=maybe", "/v1/kernels?format=", "/v1/kernels?estimate_only"] {
            let answer = try await client.post(path, #"{"architecture":{"type":"dense"},"x1":[[1]]}"#)
            #expect(answer.status == 400 && answer.text.contains("/problems/bad-parameter"), "\(answer.text)")
        }
        #expect(try await client.send(.get, "/v1/jobs?status=done").text.contains("/problems/bad-parameter"))
    }

    /// Swift reads more as a number than clients mean.
    @Test(arguments: [
        ("60", 60.0), ("0.5", 0.5), ("1e3", 1_000), ("1.5E+1", 15), (".5", 0.5), ("+5", nil), ("-0", nil), ("0x10", nil), ("inf", nil), ("nan", nil),
        ("", nil),
        ("1_0", nil), ("e3", nil), ("٥", nil),
    ])
    func aNumberIsOneOfDigits(text: String, number: Double?) async throws {
        #expect(DecimalText.number(text) == number)
        guard let name = HTTPField.Name("Request-Timeout") else { return }
        let answer = try await client.send(
            .post, "/v1/kernels", [.contentType: "application/json", name: text], body: Array(#"{"architecture":{"type":"dense"},"x1":[[1]]}"#.utf8))
        #expect((answer.status == 200) == (number != nil), "\(text) \(answer.text)")
    }
}
