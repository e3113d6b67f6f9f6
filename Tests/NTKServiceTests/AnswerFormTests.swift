import HTTPTypes
import TensorFormats
import Testing

/// The same answers as JSON, `.npy` and `.npz`.
struct AnswerFormTests {
    let client = ServiceClient()

    static let kernel = #"{"architecture":{"type":"mlp","depth":2,"b_std":0.1},"x1":[[1,0],[0.5,2],[-1,0.25]],"kinds":KINDS,"precision":"PRECISION"}"#
    static func kernel(_ kinds: String, _ precision: String = "float64") -> String {
        kernel.replacing("KINDS", with: kinds).replacing("PRECISION", with: precision)
    }
    private static let json: HTTPFields = [.contentType: "application/json"]

    private func post(_ path: String, _ body: String, accept: String? = nil) async throws -> ServiceClient.Answer {
        var fields = Self.json
        if let accept { fields[.accept] = accept }
        return try await client.send(.post, path, fields, body: Array(body.utf8))
    }

    @Test(arguments: ["float64", "float32"])
    func npyOfOneKernel(precision: String) async throws {
        let request = Self.kernel(#"["ntk"]"#, precision)
        let json = try await post("/v1/kernels", request)
        let expected = try json.array("ntk")
        for (path, accept) in [
            ("/v1/kernels", "application/x-npy"), ("/v1/kernels?format=npy", nil), ("/v1/kernels", "application/x-npy, */*;q=0.5"),
            ("/v1/kernels?format=npy", "application/json"), ("/v1/kernels", "application/x-npy, */*"),
        ] {
            let answer = try await post(path, request, accept: accept)
            #expect(answer.status == 200 && answer.fields[.contentType] == "application/x-npy" && answer.fields[.vary] == "Accept")
            let array = try Npy.read(answer.body[...])
            #expect(array.shape == [3, 3] && Array(array.elements) == expected.elements.map { precision == "float32" ? Double(Float($0)) : $0 })
            #expect(answer.text.contains(precision == "float32" ? "<f4" : "<f8"))
        }
        #expect(json.fields[.vary] == "Accept")
    }

    @Test func npzOfBothKernels() async throws {
        let request = Self.kernel(#"["nngp","ntk"]"#)
        let json = try await post("/v1/kernels", request)
        let answer = try await post("/v1/kernels", request, accept: "application/x-npz")
        #expect(answer.status == 200 && answer.fields[.contentType] == "application/x-npz")
        let (arrays, meta) = try Npz.read(answer.body[...], limit: 1 << 20)
        #expect(arrays.map(\.name) == ["nngp", "ntk"])
        for (name, array) in arrays { #expect(try Array(array.elements) == json.array(name).elements) }
        #expect(meta.map { String(decoding: $0, as: UTF8.self) } == #"{"shape":[3,3],"precision":"float64"}"#)
    }

    /// A client that prefers one array gets what there is of several, if it takes that too.
    @Test(arguments: [
        ("application/x-npy", 406, ""), ("application/x-npy, application/json;q=0.1", 200, "application/json"),
        ("application/x-npz;q=0.2, application/x-npy", 200, "application/x-npz"), ("application/*", 200, "application/json"),
        ("application/json;q=0.3, application/x-npz;q=0.4", 200, "application/x-npz"), ("application/json;q=0, */*", 200, "application/x-npz"),
        ("text/html", 406, ""), ("application/x-npy;q=0", 406, ""),
    ])
    func severalArrays(accept: String, status: Int, type: String) async throws {
        let answer = try await post("/v1/kernels", Self.kernel(#"["nngp","ntk"]"#), accept: accept)
        #expect(answer.status == status, "\(answer.text)")
        if status == 200 {
            #expect(answer.fields[.contentType] == type)
        } else {
            #expect(answer.text.contains("application/json, application/x-npz") && answer.fields[.vary] == "Accept")
        }
    }

    @Test func largeOnesAreStreamedWithTheirLength() async throws {
        let points = (0..<120).map { "[\($0),1]" }.joined(separator: ",")
        let request = #"{"architecture":{"type":"dense"},"x1":[\#(points)]}"#
        let json = try await post("/v1/kernels", request).array("ntk")
        let npy = try await post("/v1/kernels?format=npy", request)
        #expect(npy.length == npy.body.count && npy.body.count == 128 + 8 * 120 * 120)
        #expect(try Array(Npy.read(npy.body[...]).elements) == json.elements)
        let npz = try await post("/v1/kernels?format=npz", request)
        #expect(npz.length == npz.body.count)
        #expect(try Array(Npz.read(npz.body[...], limit: 1 << 30).arrays[0].array.elements) == json.elements)
    }

    @Test func everyEndpointHasArrays() async throws {
        let network =
            #"{"architecture":{"type":"serial","layers":[{"type":"dense","width":3},{"type":"erf"},{"type":"dense","width":2}]},"initialization":{"seed":0}}"#
        let kernel = #"{"architecture":{"type":"mlp","depth":1,"b_std":0.1}}"#
        let train = #""x_train":[[0],[1],[2]],"y_train":[0,1,0]"#
        for (path, body, names, meta) in [
            (
                "/v1/empirical-kernels", #"{"network":\#(network),"x1":[[1,2],[0,1]],"layerwise":true}"#,
                ["ntk", "layerwise.0.weight", "layerwise.2.weight"], "precision"
            ),
            ("/v1/network-outputs", #"{"network":\#(network),"x":[[1,2]]}"#, ["outputs"], "shape"),
            ("/v1/predictions", #"{"kernel":\#(kernel),\#(train),"x_test":[[0.5]],"covariance":"diagonal"}"#, ["mean", "variance"], "diagnostics"),
            (
                "/v1/dynamics", #"{"kernel":\#(kernel),\#(train),"x_test":[[0.5]],"times":[0,1]}"#, ["times", "train_loss", "train_mean", "mean"],
                "rank"
            ),
            ("/v1/spectra", #"{"kernel":\#(kernel),"x":[[0],[1]],"y":[1,2]}"#, ["eigenvalues", "half_lives", "coefficients"], "eigenlearning"),
            ("/v1/convergence", #"{"architecture":{"type":"mlp","depth":1},"x":[[1,2]],"widths":[4,8],"samples":2}"#, [], "widths"),
            (
                "/v1/finite-width", #"{"architecture":{"type":"mlp","depth":2},"x1":[[1,2],[0,1]]}"#,
                ["ntk", "ntk_correction", "ntk_variance", "excess_kurtosis"], "widths"
            ),
            ("/v1/learning-curves", #"{"spectrum":{"eigenvalues":[1,0.1],"powers":[1,1]},"sample_sizes":[1,10]}"#, [], "curve"),
            (
                "/v1/trainings", #"{"network":\#(network),"x_train":[[1,0],[0,1]],"y_train":[[1,0],[0,1]],"steps":[0,1]}"#,
                [
                    "train_loss", "kernel_train_loss", "kernel_drift", "parameter_distance", "relative_parameter_distance", "train_outputs",
                    "kernel_train_outputs",
                ],
                "steps"
            ),
        ] {
            let answer = try await post(path, body, accept: "application/x-npz")
            #expect(answer.status == 200, "\(path): \(answer.text)")
            let json = try await post(path, body)
            let (arrays, text) = try Npz.read(answer.body[...], limit: 1 << 20)
            #expect(arrays.map(\.name).filter { $0 != "deviation" } == names, "\(path)")
            for (name, array) in arrays where !name.contains(".") { #expect(try Array(array.elements) == json.array(name).elements) }
            guard case .object(let object) = try JSONValue.parse(text ?? []) else { throw JSONError(.shape, at: "", "an object expected") }
            #expect(object[meta] != nil, "\(path)")
            // Together they are the JSON answer.
            #expect(Set(object.members.map(\.key) + arrays.map { String($0.name.prefix { $0 != "." }) }) == Set(try json.object.members.map(\.key)))
        }
    }

    /// Requests as `.npz`: arrays by their fields, the rest in `meta.json`.
    @Test func requestsAsArchives() async throws {
        let x = try await post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1,2],[3,4]],"kinds":["nngp"]}"#, accept: "application/x-npy")
        let archive = StoredArchive([("meta.json", Array(#"{"architecture":{"type":"relu_free"}}"#.utf8)), ("x1.npy", x.body)]).bytes
        let wrong = try await client.send(.post, "/v1/kernels", [.contentType: "application/x-npz"], body: archive)
        #expect(try wrong.status == 422 && wrong.pointers == ["/architecture/type"])
        let network = #"{"network":{"architecture":{"type":"dense"}}}"#
        let good = StoredArchive([("meta.json", Array(network.utf8)), ("x.npy", x.body), ("network.parameters.weight.npy", x.body)]).bytes
        let answer = try await client.send(.post, "/v1/network-outputs", [.contentType: "application/x-npz"], body: good)
        #expect(answer.status == 200, "\(answer.text)")
        // f(x) = W x with W = x = K, which is symmetric: K².
        let k = Array(try Npy.read(x.body[...]).elements)
        #expect(try abs(answer.array("outputs").elements[1] - (k[0] * k[2] + k[1] * k[3])) < 1e-12)
    }
}
