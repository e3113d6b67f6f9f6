import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// What clients write is read in one way only, and what says the same is the same.
@Suite("One reading")
struct OneReadingTests {
    private let client = ServiceClient()

    // MARK: Code points

    @Test(arguments: [["\u{E9}", "e\u{301}"], ["\u{C5}", "\u{212B}", "A\u{30A}"], ["K", "\u{212A}"]])
    func labelsAreOtherClassesIfTheirCodePointsAre(labels: [String]) async throws {
        let x = labels.indices.map { "[\($0),1]" }.joined(separator: ",")
        let names = labels.map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try await client.post(
            "/v1/predictions", #"{"kernel":{"architecture":{"type":"dense"}},"x_train":[\#(x)],"labels":[\#(names)],"x_test":[\#(x)],"ridge":1e-9}"#)
        guard case .array(let classes) = try answer.object["classes"] ?? .null else { throw JSONError(.shape, at: "", answer.text) }
        let texts = classes.map { if case .string(let text) = $0 { text } else { "" } }
        #expect(texts.map { ExactText($0) } == labels.map { ExactText($0) }.sorted())
    }

    @Test func membersOfOneReadingAreTwo() async throws {
        let answer = try await client.post(
            "/v1/network-outputs",
            "{\"network\":{\"architecture\":{\"type\":\"dense\"},\"parameters\":{\"weight\":[[1]],\"\u{E9}\":[1],\"e\u{301}\":[2]}},\"x\":[[1]]}")
        #expect(answer.status == 422)
        #expect(try answer.pointers.contains { $0.isSame(as: "/network/parameters/e\u{301}") })
    }

    /// A mark of punctuation stays one, whatever combines with it; and no other letter is one of ASCII.
    @Test(arguments: [
        ("application/x-npz,\u{301}", 200), ("application/x-npz;\u{301}q=0", 200),
        ("application/x-npz;q=0", 406), ("application/x-npz\u{301}", 406), ("APPLICATION/X-NPZ", 200),
    ])
    func fieldsAreReadOctetByOctet(accept: String, status: Int) async throws {
        let answer = try await client.send(
            .post, "/v1/kernels", [.contentType: "application/json", .accept: accept],
            body: Array(#"{"architecture":{"type":"dense"},"x1":[[1,2]],"kinds":["ntk","nngp"]}"#.utf8))
        #expect(answer.status == status, "\(accept): \(answer.text)")
    }

    // MARK: Nulls, marks and repetitions

    @Test func nullIsAbsent() async throws {
        let plain = try await client.post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1,2]]}"#)
        let nulls = try await client.post(
            "/v1/kernels",
            #"{"architecture":{"type":"dense","width":null,"w_std":null,"b_std":null,"bias":null,"parameterization":null,"trainable":null},"#
                + #""x1":[[1,2]],"x2":null,"pattern1":null,"pattern2":null,"kinds":null,"precision":null,"diagonal":null,"data_format":null}"#)
        #expect(nulls.status == 200 && nulls.text == plain.text)
        let required = try await client.post("/v1/kernels", #"{"architecture":null,"x1":[[1,2]]}"#)
        #expect(required.status == 422 && required.text.contains("null came"))
        #expect(try await client.post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1,2]],"x3":null}"#).status == 422)
    }

    @Test func nullsOfWhatMeansNothingHereAreAbsent() async throws {
        let network = #""network":{"architecture":{"type":"dense","width":1},"initialization":{"seed":1}}"#
        let fit = #""x_train":[[1],[2]],"y_train":[1,2],"labels":null,"pattern_train":null"#
        for (path, body) in [
            ("/v1/empirical-kernels", #"{\#(network),"x1":[[1]],"x2":null,"pattern1":null,"pattern2":null,"include":null,"outputs":null}"#),
            ("/v1/trainings", #"{\#(network),\#(fit),"steps":[1],"x_test":null,"pattern_test":null,"y_test":null,"momentum":null}"#),
            (
                "/v1/dynamics",
                #"{"kernel":{"architecture":{"type":"dense"}},\#(fit),"times":[1],"x_test":null,"pattern_test":null,"y_test":null,"#
                    + #""initial_outputs":null,"optimizer":{"type":"gradient_flow","momentum":null,"learning_rate":null}}"#
            ),
            (
                "/v1/predictions",
                #"{"kernel":{"matrices":{"train_train":[[2]],"test_train":[[1]],"nngp":null}},"x_train":null,"pattern_train":null,"y_train":[1],"#
                    + #""x_test":null,"pattern_test":null,"covariance":null,"ridge":null,"solver":null}"#
            ),
            ("/v1/spectra", #"{"kernel":{"matrices":{"train_train":[[2]]}},"x":null,"pattern":null,"y":null,"labels":null,"sample_sizes":null}"#),
        ] {
            let answer = try await client.post(path, body)
            #expect(answer.status == 200, "\(path) \(answer.text)")
        }
    }

    @Test(arguments: [
        "/v1/kernels?format=json&format=npz", "/v1/kernels?estimate_only=true&estimate_only=true", "/v1/networks?limit=1&after=a&limit=2",
    ])
    func aParameterTwiceIs400(path: String) async throws {
        let answer = try await client.post(path, #"{"architecture":{"type":"dense"},"x1":[[1,2]]}"#)
        #expect(answer.status == 400 && answer.text.contains("/problems/repeated"), "\(answer.text)")
    }

    @Test(arguments: ["Request-Timeout", "Idempotency-Key", "Content-Type", "X-Request-Id", "If-Range", "Last-Event-ID"])
    func aFieldTwiceIs400(name: String) async throws {
        let field = try #require(HTTPField.Name(name))
        var fields: HTTPFields = [.contentType: "application/json"]
        if name != "Content-Type" { fields.append(HTTPField(name: field, value: "5")) }
        fields.append(HTTPField(name: field, value: "5"))
        let answer = try await client.send(.post, "/v1/kernels", fields, body: Array(#"{"architecture":{"type":"dense"},"x1":[[1,2]]}"#.utf8))
        #expect(answer.status == 400 && answer.text.contains(name), "\(answer.text)")
    }

    // MARK: Parts

    private func form(_ parts: [(name: String, type: String?, content: [UInt8])]) async throws -> ServiceClient.Answer {
        var body: [UInt8] = []
        for part in parts {
            let type = part.type.map { "Content-Type: \($0)\r\n" } ?? ""
            body += Array("--b\r\nContent-Disposition: form-data; name=\"\(part.name)\"\r\n\(type)\r\n".utf8) + part.content + [0x0D, 0x0A]
        }
        return try await client.send(.post, "/v1/kernels", [.contentType: "multipart/form-data; boundary=b"], body: body + Array("--b--".utf8))
    }

    private let request = (name: "request", type: "application/json" as String?, content: Array(#"{"architecture":{"type":"dense"}}"#.utf8))

    @Test func aPartOrAFieldTwiceIs400() async throws {
        let points = (name: "x1", type: "application/json" as String?, content: Array("[[1,2]]".utf8))
        let whole = (name: "request", type: "application/json" as String?, content: Array(#"{"architecture":{"type":"dense"},"x1":[[1,2]]}"#.utf8))
        for (parts, what) in [
            ([request, points, points], "the part x1"), ([request, request, points], "the part request"), ([whole, points], "/x1"),
        ] {
            let answer = try await form(parts)
            #expect(answer.status == 400 && answer.text.contains("/problems/repeated") && answer.text.contains(what), "\(answer.text)")
        }
        #expect(try await form([request, points]).status == 200)
    }

    @Test(arguments: [
        ("text/csv", "1,2\n3,4\n", "CSV text"), (nil, "hello", "text"), ("application/octet-stream", "\u{7F}ELF", "4 bytes"),
        ("text/plain", "version https://git-lfs.github.com/spec/v1\n", "git-LFS"), ("application/x-npy", "", "nothing"),
    ])
    func aPartIsNamedWithWhatItIs(type: String?, content: String, what: String) async throws {
        let answer = try await form([request, ("x1", type, Array(content.utf8))])
        #expect(answer.status == 400 && answer.text.contains("the part x1") && answer.text.contains(what), "\(answer.text)")
        #expect(type.map { answer.text.contains("(\($0))") } ?? true)
        #expect(!answer.text.contains("a header of at most"))
    }

    @Test func aPartTwiceIs400() async throws {
        let part = (name: "x1", type: "application/json" as String?, content: Array("[[1,2]]".utf8))
        #expect(try await form([request, part]).status == 200)
        for parts in [[request, part, part], [request, request, part]] {
            let answer = try await form(parts)
            #expect(answer.status == 400 && answer.text.contains("twice"), "\(answer.text)")
        }
        #expect(try await form([request, part, ("x9", "application/json", Array("1".utf8))]).text.contains("/x9"))
    }

    @Test(arguments: [([0x80, 0x02], "a pickle"), (Array("{}".utf8), "JSON text")] as [([UInt8], String)])
    func aBodyThatIsNoZipIsNamed(content: [UInt8], what: String) async throws {
        for path in ["/v1/kernels", "/v1/networks"] {
            let answer = try await client.send(.post, path, [.contentType: "application/x-npz"], body: content)
            #expect(answer.status == 400 && answer.text.contains(what), "\(answer.text)")
        }
    }

    @Test func aByteOrderMarkBeforeJSONIsSkipped() async throws {
        #expect(try await client.post("/v1/kernels", "\u{FEFF}{\"architecture\":{\"type\":\"dense\"},\"x1\":[[1,2]]}").status == 200)
        let part = (name: "x1", type: "application/json" as String?, content: Array("\u{FEFF}[[1,2]]".utf8))
        #expect(try await form([request, part]).status == 200)
    }

    // MARK: Names of wrapped models

    @Test(arguments: [
        ("module.", true), ("model.", true), ("_orig_mod.", true), ("_orig_mod.module.", true), ("encoder.layers.", true), ("modul_", false),
    ])
    func namesWithAPrefixGetAHint(prefix: String, isKnown: Bool) async throws {
        let layers = #"[{"type":"dense"},{"type":"relu"},{"type":"dense"}]"#
        let answer = try await client.post(
            "/v1/network-outputs",
            #"{"network":{"architecture":{"type":"serial","layers":\#(layers)},"#
                + #""parameters":{"\#(prefix)0.weight":[[1,2],[3,4],[5,6]],"\#(prefix)2.weight":[[1,1,1]]}},"x":[[1,2]]}"#)
        #expect(answer.status == 422)
        let isNamed = answer.text.contains("\(prefix)0.weight: 0.weight of shape [3, 2] expected, without the prefix")
        #expect(isNamed == isKnown, "\(answer.text)")
        if isKnown {
            #expect(try answer.pointers == ["/network/parameters/\(prefix)0.weight", "/network/parameters/\(prefix)2.weight"])
        }
    }
}
