import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// A default that is spelt out, another form of a number, another order: the same fit, the same network.
@Suite("Canonical form")
struct CanonicalFormTests {
    /// Architectures, each with others that say the same.
    static let same: [(String, [String])] = [
        (
            #"{"type":"mlp","depth":2}"#,
            [
                #"{"activation":"relu","depth":2.0,"type":"mlp"}"#, #"{"type":"mlp","depth":2,"w_std":1}"#,
                #"{"type":"mlp","depth":2,"w_std":1.0,"last_w_std":1e0,"b_std":null,"bias":null}"#,
                #"{"type":"mlp","depth":2,"activation":{"type":"relu"},"parameterization":"ntk","trainable":true}"#,
            ]
        ),
        (
            #"{"type":"mlp","depth":1,"activation":"erf","w_std":1.5}"#,
            [
                #"{"type":"mlp","depth":1,"activation":{"type":"erf"},"w_std":15e-1,"last_w_std":1.5}"#,
                #"{"type":"mlp","depth":1,"activation":{"type":"erf","a":1,"b":1.0,"c":0},"w_std":1.5}"#,
                #"{"type":"mlp","depth":1,"activation":{"c":-0.0,"type":"erf"},"w_std":1.5}"#,
            ]
        ),
        (
            #"{"type":"serial","layers":[{"type":"dense"},{"type":"leaky_relu"},{"type":"dense"}]}"#,
            [
                #"{"layers":[{"type":"dense","w_std":1},{"type":"leaky_relu","alpha":0.01},{"b_std":null,"type":"dense"}],"type":"serial"}"#,
                #"{"type":"serial","layers":[{"type":"dense","trainable":true},{"type":"leaky_relu","alpha":1e-2},{"type":"dense","parameterization":"ntk"}]}"#,
            ]
        ),
        (
            #"{"type":"serial","layers":[{"type":"repeat","layer":{"type":"dense","b_std":0.5},"count":2}]}"#,
            [#"{"type":"serial","layers":[{"type":"repeat","layer":{"type":"dense","w_std":1.0,"b_std":0.50},"count":2.0}]}"#]
        ),
        (
            #"{"type":"serial","layers":[{"type":"dense"},{"type":"layer_norm"},{"type":"gelu"},{"type":"dense"},{"type":"polynomial","coefficients":[1,2]},{"type":"dense"}]}"#,
            [
                #"{"type":"serial","layers":[{"type":"dense"},{"type":"layer_norm","axes":["channel"],"eps":1e-12},{"type":"gelu","approximate":false},{"type":"dense"},"#
                    + #"{"type":"polynomial","coefficients":{"shape":[2],"data":[1.0,2.0]}},{"type":"dense"}]}"#
            ]
        ),
    ]

    /// The same on images of 2 × 2 pixels.
    static let images: [(String, [String])] = [
        (
            #"[{"type":"conv","filter_shape":[1,1]},{"type":"avg_pool","window_shape":[1,1]},{"type":"flatten"}]"#,
            [
                #"[{"type":"conv","filter_shape":[1,1],"strides":[1,1],"padding":"valid"},"#
                    + #"{"type":"avg_pool","window_shape":[1,1],"strides":null,"normalize_edges":false},{"type":"flatten"}]"#
            ]
        ),
        (
            #"[{"type":"global_self_attention"},{"type":"dropout","keep_probability":0.5},{"type":"flatten"}]"#,
            [
                #"[{"type":"global_self_attention","heads":1,"linear_scaling":true,"w_key_std":1,"w_value_std":1,"w_query_std":1,"w_out_std":1,"b_std":null,"#
                    + #""mechanism":"softmax","positional_embedding":"none","positional_p_norm":2,"positional_decay":null,"w_positional_std":1,"#
                    + #""value_positional_embedding":false,"trainable":true},{"type":"dropout","keep_probability":0.5,"mode":"train"},{"type":"flatten"}]"#
            ]
        ),
        (
            #"[{"type":"image_resize","shape":[-1,3,3,-1],"method":"linear"},{"type":"index","idx":[null,{"stop":2}]},{"type":"flatten"}]"#,
            [
                #"[{"type":"image_resize","shape":[-1,3,3,-1],"method":"linear","antialias":true},"#
                    + #"{"type":"index","idx":[null,{"start":null,"stop":2,"step":1}]},{"type":"flatten"}]"#
            ]
        ),
    ]

    private static func fit(_ architecture: String, x: String = "[[1,0],[2,1]]", _ more: String = #""ridge":0.001"#) -> String {
        #"{"kernel":{"architecture":\#(architecture)},"x_train":\#(x),"y_train":[1,2],\#(more)}"#
    }

    @Test(arguments: same)
    func fitsThatSayTheSameAreOne(first: String, others: [String]) async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        let id = try RegressorEndpointTests.id(await client.post("/v1/regressors", Self.fit(first)))
        for other in others {
            let again = try await client.post("/v1/regressors", Self.fit(other))
            #expect(try again.status == 200 && RegressorEndpointTests.id(again) == id, "\(other) \(again.text.prefix(300))")
        }
    }

    @Test(arguments: images)
    func imagesToo(first: String, others: [String]) async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        let x = "[[[[1],[0]],[[2],[1]]],[[[0],[3]],[[1],[1]]]]"
        func fit(_ layers: String) -> String { Self.fit(#"{"type":"serial","layers":\#(layers)}"#, x: x) }
        let made = try await client.post("/v1/regressors", fit(first))
        let id = try RegressorEndpointTests.id(made)
        for other in others {
            let again = try await client.post("/v1/regressors", fit(other))
            #expect(try again.status == 200 && RegressorEndpointTests.id(again) == id, "\(other) \(again.text.prefix(300))")
        }
        // Read from the disk it predicts the same.
        let body = #"{"x":\#(x)}"#
        let before = try await client.post("/v1/regressors/\(id)/predictions", body)
        #expect(before.status == 200)
        #expect(try await scratch.server().post("/v1/regressors/\(id)/predictions", body).text == before.text)
    }

    @Test func ridgesAndSettings() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        let architecture = #"{"type":"mlp","depth":1}"#
        var ids: Set<String> = []
        for more in [
            #""ridge":0.001"#, #""ridge":1e-3"#, #""ridge":1.0E-3,"ridge_scale":"absolute","posterior":"gp""#,
            #""ridge":0.001,"on_singular":"minimum_norm","diagnostics":"automatic","solver":"automatic","labels":null"#,
        ] {
            ids.insert(try RegressorEndpointTests.id(await client.post("/v1/regressors", Self.fit(architecture, more))))
        }
        ids.insert(
            try RegressorEndpointTests.id(
                await client.post(
                    "/v1/regressors",
                    #"{"kernel":{"architecture":\#(architecture),"kind":"ntk","data_format":"channels_last"},"#
                        + #""x_train":{"shape":[2,2],"data":[1.0,0,2,1]},"y_train":[1.0,2.0],"ridge":0.001}"#)))
        #expect(ids.count == 1)
        #expect(try RegressorEndpointTests.id(await client.post("/v1/regressors", Self.fit(architecture, #""ridge":0.002"#))) != ids.first)
    }

    /// What says something else stays another.
    @Test func othersStayOthers() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let client = try scratch.server()
        var ids: Set<String> = []
        let architectures = [
            #"{"type":"mlp","depth":2}"#, #"{"type":"mlp","depth":1}"#, #"{"type":"mlp","depth":2,"w_std":1.1}"#,
            #"{"type":"mlp","depth":2,"b_std":0}"#,
            #"{"type":"mlp","depth":2,"last_w_std":2}"#, #"{"type":"mlp","depth":2,"activation":"erf"}"#,
            #"{"type":"mlp","depth":2,"activation":{"type":"erf","a":2}}"#, #"{"type":"mlp","depth":2,"parameterization":"standard","width":8}"#,
            #"{"type":"mlp","depth":2,"trainable":false}"#,
        ]
        for architecture in architectures { ids.insert(try RegressorEndpointTests.id(await client.post("/v1/regressors", Self.fit(architecture)))) }
        #expect(ids.count == architectures.count)
    }

    @Test func networksThatSayTheSameAreOne() async throws {
        let client = ServiceClient()
        var ids: Set<String> = []
        for (layers, more) in [
            (#"[{"type":"dense","width":2,"b_std":0}]"#, ""), (#"[{"type":"dense","width":2,"bias":true}]"#, ""),
            (#"[{"type":"dense","width":2.0,"bias":true,"b_std":0,"w_std":1,"parameterization":"standard"}]"#, #","data_format":"channels_last""#),
        ] {
            let answer = try await client.post(
                "/v1/networks", #"{"architecture":{"type":"serial","layers":\#(layers)},"initialization":{"seed":0}\#(more)}"#)
            ids.insert(try RegressorEndpointTests.id(answer))
        }
        #expect(ids.count == 1)
        let other = try await client.post(
            "/v1/networks",
            #"{"architecture":{"type":"serial","layers":[{"type":"dense","width":2,"b_std":0,"parameterization":"ntk"}]},"initialization":{}}"#)
        #expect(try !ids.contains(RegressorEndpointTests.id(other)))
    }
}
