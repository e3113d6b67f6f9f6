import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

struct NetworkEndpointTests {
    static let mlp = """
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":3},{"type":"relu"},{"type":"dense","width":2}]},
         "parameters":{"0.weight":[[1,0],[0,1],[1,-1]],"0.bias":[0.5,-0.5,0],"2.weight":[[1,2,3],[-1,0,1]]}}
        """
    let client = ServiceClient()

    private func kernel(_ fields: String, _ network: String = mlp) async throws -> ServiceClient.Answer {
        try await client.post("/v1/empirical-kernels", "{\"network\":\(network),\"x1\":[[2,1],[-1,3]]\(fields)}")
    }

    /// By hand: u = (2.5, 0.5, 1) at (2, 1) and (-0.5, 2.5, -4) at (-1, 3).
    @Test func aSmallNetworkByHand() async throws {
        let outputs = try await client.post("/v1/network-outputs", "{\"network\":\(Self.mlp),\"x\":[[2,1],[-1,3]]}")
        #expect(try outputs.array("outputs").elements == [6.5, -1.5, 5, 0])
        // Θ_oo' = δ_oo' h·h' + (x·x' + 1) Σ_w W_ow W_o'w φ'φ'.
        let full = try await kernel(",\"outputs\":\"full\"")
        #expect(try full.array("ntk").shape == [2, 2, 2, 2])
        #expect(try full.array("ntk").elements == [91.5, 12, 12, 19.5, 9.25, 0, 0, 1.25, 9.25, 0, 0, 1.25, 50.25, 0, 0, 6.25])
        #expect(try await kernel("").array("ntk").elements == [55.5, 5.25, 5.25, 28.25])
        #expect(try await kernel(",\"outputs\":\"sum\"").array("ntk").elements == [111, 10.5, 10.5, 56.5])
        #expect(try await kernel(",\"outputs\":\"diagonal\"").array("ntk").elements == [91.5, 19.5, 9.25, 1.25, 9.25, 1.25, 50.25, 6.25])
        let chosen = try await kernel(",\"outputs\":[1]").array("ntk")
        #expect(chosen.shape == [2, 2, 1, 1] && chosen.elements == [19.5, 1.25, 1.25, 6.25])
        let nngp = try await kernel(",\"kinds\":[\"nngp\"],\"outputs\":\"sum\"").array("nngp")
        #expect(nngp.elements == [44.5, 32.5, 32.5, 25])
    }

    @Test func sharesAndChosenParameters() async throws {
        let answer = try await kernel(",\"outputs\":\"sum\",\"layerwise\":true")
        guard case .object(let shares) = try answer.object["layerwise"] else {
            Issue.record("\(answer.text)")
            return
        }
        #expect(shares.members.map(\.key) == ["0.weight", "0.bias", "2.weight"])
        #expect(try shares["0.weight"]?.numericArray(at: "").elements.first == 5 * 16)
        #expect(try shares["0.bias"]?.numericArray(at: "").elements.first == 16)
        #expect(try shares["2.weight"]?.numericArray(at: "").elements.first == 15)
        #expect(try await kernel(",\"outputs\":\"sum\",\"include\":[\"0.*\"]").array("ntk").elements == [96, 8, 8, 44])
        #expect(try await kernel(",\"outputs\":\"sum\",\"include\":[\"*.bias\"]").array("ntk").elements == [16, 4, 4, 4])
        #expect(try await kernel(",\"outputs\":\"sum\",\"include\":[\"2.weight\",\"*bias\"]").array("ntk").elements == [31, 6.5, 6.5, 16.5])
        #expect(try await kernel(",\"include\":[\"1.*\"]").pointers == ["/include/0"])
    }

    @Test(arguments: [
        (#""0.weight":[[1,2]],"0.bias":[1]"#, ["/network/parameters/2.weight"]),
        (#""0.weight":[[1,2]],"2.weight":[[1]],"3.weight":[[1]]"#, ["/network/parameters/3.weight"]),
        (#""0.weight":[[1,2,3]],"2.weight":[[1]]"#, ["/network/parameters/0.weight"]),
        (#""0.weight":[[1,2]],"0.bias":[1,2],"2.weight":[[1,2]]"#, ["/network/parameters/0.bias", "/network/parameters/2.weight"]),
        (#""0.weight":[1,2],"2.weight":[[1]]"#, ["/network/parameters/0.weight"]),
        (#""0.weight":[[1,"a"]],"2.weight":[[1]]"#, ["/network/parameters/0.weight/0/1"]),
    ]) func aWrongParameterIsNamed(_ parameters: String, _ pointers: [String]) async throws {
        let network = """
            {"architecture":{"type":"serial","layers":[{"type":"dense","width":1},{"type":"erf"},{"type":"dense","width":1}]},
             "parameters":{\(parameters)}}
            """
        let answer = try await kernel("", network)
        #expect(answer.status == 422)
        #expect(try answer.pointers == pointers, "\(answer.text)")
        for pointer in pointers { #expect(answer.text.contains(pointer.split(separator: "/")[2])) }
    }

    @Test func aNetworkIsStoredListedUsedAndDeleted() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for isPersistent in [false, true] {
            let store = isPersistent ? try NetworkStore(directory: directory) : NetworkStore()
            let client = ServiceClient(networks: store)
            let made = try await client.post("/v1/networks", Self.mlp)
            #expect(made.status == 201, "\(made.text)")
            guard case .string(let id) = try made.object["id"] else { return }
            #expect(made.fields[.location] == "/v1/networks/\(id)")
            let again = try await client.post("/v1/networks", Self.mlp)
            #expect(again.status == 200 && again.body == made.body)
            let drawn = try await client.post(
                "/v1/networks", #"{"architecture":{"type":"mlp","depth":1,"width":4},"initialization":{"seed":3},"input_shape":[2]}"#)
            #expect(drawn.status == 201)
            // A service that starts later finds what a directory holds.
            let later = ServiceClient(networks: isPersistent ? try NetworkStore(directory: directory) : store)
            #expect(try await later.send(.get, "/v1/networks/\(id)").body == made.body)
            guard case .array(let all) = try await later.send(.get, "/v1/networks").object["networks"] else {
                Issue.record("a list expected")
                return
            }
            #expect(all.count == 2)
            let page = try await later.send(.get, "/v1/networks?limit=1")
            guard case .string(let next) = try page.object["next"] else {
                Issue.record("a cursor expected: \(page.text)")
                return
            }
            guard case .array(let rest) = try await later.send(.get, "/v1/networks?limit=1&after=\(next)").object["networks"] else { return }
            #expect(rest.count == 1)
            let inline = try await kernel("")
            let stored = try await later.post("/v1/empirical-kernels", "{\"network\":\"\(id)\",\"x1\":[[2,1],[-1,3]]}")
            #expect(stored.body == inline.body)
            #expect(try await later.send(.delete, "/v1/networks/\(id)").status == 204)
            #expect(try await later.send(.get, "/v1/networks/\(id)").status == 404)
            #expect(try await later.send(.delete, "/v1/networks/\(id)").status == 404)
            #expect(try await later.post("/v1/network-outputs", "{\"network\":\"\(id)\",\"x\":[[2,1]]}").pointers == ["/network"])
        }
    }

    @Test func anInitializationIsRepeated() async throws {
        func outputs(_ seed: Int) async throws -> [Double] {
            try await client.post(
                "/v1/network-outputs",
                #"{"network":{"architecture":{"type":"mlp","depth":2,"width":5,"b_std":0.1},"initialization":{"seed":\#(seed)}},"x":[[1,2]]}"#
            ).array("outputs").elements
        }
        let first = try await outputs(1)
        #expect(try await outputs(1) == first)
        #expect(try await outputs(2) != first)
    }

    @Test("An mlp has one output, or as many as it says, or as its readout's weights have; width is that of the hidden layers")
    func outputsOfAnMLP() async throws {
        func shape(_ members: String, _ parameters: String = #""initialization":{"seed":1}"#) async throws -> [Int] {
            try await client.post(
                "/v1/network-outputs",
                #"{"network":{"architecture":{"type":"mlp","depth":1,"width":3\#(members)},\#(parameters)},"x":[[1,2]]}"#
            ).array("outputs").shape
        }
        #expect(try await shape("") == [1, 1])
        #expect(try await shape(#","outputs":5"#) == [1, 5])
        #expect(try await shape("", #""parameters":{"0.weight":[[1,0],[0,1],[1,1]],"2.weight":[[1,2,3],[4,5,6]]}"#) == [1, 2])
        let training = try await client.post(
            "/v1/trainings",
            #"""
            {"network":{"architecture":{"type":"mlp","depth":1,"width":3},"initialization":{"seed":1}},"x_train":[[1,2]],"y_train":[[1,0]],
             "steps":[0]}
            """#)
        #expect(try training.pointers == ["/y_train"] && training.text.contains("outputs"), "\(training.text)")
    }

    @Test func theErrorFallsWithTheWidth() async throws {
        let answer = try await client.post(
            "/v1/convergence",
            """
            {"architecture":{"type":"mlp","depth":2,"w_std":1.4142135623730951},"x":[[1,0.5,-1],[0.3,-1,2],[1,1,1]],"widths":[16,64,256],
             "samples":24,"seed":5}
            """)
        #expect(answer.status == 200, "\(answer.text)")
        guard case .number(let rate) = try answer.object["rate"] else { return }
        #expect(abs(rate.value + 0.5) < 0.15, "\(answer.text)")
    }

    /// Norms are of squares, which are out of range long before the kernels are.
    @Test(arguments: [480, -480]) func anErrorIsThatOfPointsOfAnySize(exponent: Int) async throws {
        func errors(_ scale: Double) async throws -> JSONValue? {
            let points = [[1.0, 0.5], [0.25, -1]].map { $0.map { $0 * scale } }
            let answer = try await client.post(
                "/v1/convergence",
                #"{"architecture":{"type":"mlp","depth":1},"x":\#(points),"widths":[4,8],"samples":3,"seed":1}"#)
            #expect(answer.status == 200, "\(answer.text)")
            return try answer.object["rate"]
        }
        let (one, other) = (try await errors(1), try await errors(Double(sign: .plus, exponent: exponent, significand: 1)))
        guard case .number(let expected)? = one, case .number(let found)? = other else { throw Missing() }
        #expect(abs(found.value - expected.value) < 1e-12)
    }

    private struct Missing: Error {}

    @Test func theCompilerSaysWhereALayerDoesNotFit() async throws {
        let conv = #"{"type":"conv","width":2,"filter_shape":[2]}"#
        for (layers, pointer) in [
            (conv, "/network/architecture/layers/0"), (#"{"type":"fan_in_sum"}"#, "/network/architecture/layers/0"),
            (#"{"type":"dense"}"#, "/network/architecture/layers/0/width"),
            (#"{"type":"dense","width":2,"bias":false,"b_std":1}"#, "/network/architecture/layers/0/bias"),
        ] {
            let network = #"{"architecture":{"type":"serial","layers":[\#(layers)]},"initialization":{"seed":0}}"#
            let answer = try await kernel("", network)
            #expect(answer.status == 422)
            #expect(try answer.pointers == [pointer], "\(answer.text)")
        }
    }
}

/// Small requests for networks beyond any machine: refused at once, with a word.
struct NetworkLimitTests {
    @Test(arguments: [
        #"[{"type":"dense","width":268435456}]"#, #"[{"type":"dense","width":4294967296}]"#,
        #"[{"type":"dense","width":200000},{"type":"relu"},{"type":"dense","width":200000}]"#,
        #"[{"type":"repeat","count":10000,"layer":{"type":"repeat","count":10000,"layer":{"type":"identity"}}}]"#,
    ]) func aVectorNetwork(_ layers: String) async throws {
        try await refuse(layers, "[[1,2]]")
    }

    @Test(arguments: [
        #"[{"type":"conv_transpose","width":1,"filter_shape":[1048576],"strides":[1048576]},{"type":"flatten"}]"#,
        #"[{"type":"image_resize","shape":[-1,1000000,-1],"method":"nearest"},{"type":"conv","width":1,"filter_shape":[900000],"padding":"same"}]"#,
        #"[{"type":"conv","width":16777216,"filter_shape":[1]},{"type":"layer_norm"},{"type":"conv","width":16777216,"filter_shape":[1]}]"#,
    ]) func aSpatialNetwork(_ layers: String) async throws {
        try await refuse(layers, "[[[1],[2],[3]]]")
    }

    private func refuse(_ layers: String, _ x: String) async throws {
        let client = ServiceClient()
        let network = #"{"architecture":{"type":"serial","layers":\#(layers)},"initialization":{"seed":0}}"#
        for outputs in [#""full""#, #""mean""#] {
            let answer = try await client.post("/v1/empirical-kernels", "{\"network\":\(network),\"x1\":\(x),\"outputs\":\(outputs)}")
            #expect(answer.status == 422 || layers.contains("identity"), "\(answer.text.prefix(300))")
        }
    }
}
