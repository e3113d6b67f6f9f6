import HTTPTypes
import NTKService
import TensorFormats
import Testing

struct KernelEndpointTests {
    let client = ServiceClient()
    static let relu = #"{"type":"mlp","depth":1,"activation":"relu","w_std":1.4142135623730951}"#

    @Test func answersInTheOrderOfTheRequest() async throws {
        let answer = try await client.post("/v1/kernels", #"{"architecture":\#(Self.relu),"x1":[[1,0],[0,1]],"kinds":["ntk","nngp"]}"#)
        #expect(answer.status == 200 && answer.fields[.contentType] == "application/json")
        #expect(try answer.object.members.map(\.key) == ["ntk", "nngp", "shape", "precision"])
        let ntk = try answer.array("ntk")
        // Θ(x, x) = 2|x|²/d, and for orthogonal points 1/(2π)·2/d.
        #expect(ntk.shape == [2, 2] && abs(ntk.elements[0] - 2) < 1e-15 && abs(ntk.elements[1] - 1 / .pi) < 1e-15)
        #expect(ntk.elements[1] == ntk.elements[2])
    }

    @Test func diagonalIsTheDiagonal() async throws {
        let points = "[[1,2],[3,4],[0,0]]"
        let full = try await client.post("/v1/kernels", #"{"architecture":\#(Self.relu),"x1":\#(points)}"#).array("ntk")
        let answer = try await client.post("/v1/kernels", #"{"architecture":\#(Self.relu),"x1":\#(points),"diagonal":true}"#)
        let diagonal = try answer.array("ntk")
        #expect(diagonal.shape == [3] && (0..<3).allSatisfy { diagonal.elements[$0] == full.elements[4 * $0] })
        #expect(try answer.array("shape").elements.elementsEqual([3]))
    }

    @Test func float32IsWrittenInItsOwnDigits() async throws {
        let answer = try await client.post(
            "/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[0.1]],"x2":[[1]],"kinds":["nngp"],"precision":"float32"}"#)
        #expect(answer.text.hasPrefix(#"{"nngp":[[0.1]],"#), "\(answer.text)")
    }

    /// A large answer is streamed, and is the same as its parts.
    @Test func largeAnswersAreStreamed() async throws {
        let points = (0..<200).map { "[\($0),\(($0 * 7) % 13),1]" }.joined(separator: ",")
        let whole = try await client.post("/v1/kernels", #"{"architecture":\#(Self.relu),"x1":[\#(points)]}"#).array("ntk")
        let part = try await client.post("/v1/kernels", #"{"architecture":\#(Self.relu),"x1":[\#(points)],"x2":[[3,8,1]]}"#).array("ntk")
        #expect(whole.shape == [200, 200])
        for point in 0..<200 where point != 3 { #expect(whole.elements[point * 200 + 3] == part.elements[point]) }
    }

    @Test(arguments: [
        (#"{"x1":[[1]]}"#, "/architecture"),
        (#"{"architecture":{"type":"dense"}}"#, "/x1"),
        (#"{"architecture":{"type":"dens"},"x1":[[1]]}"#, "/architecture/type"),
        (#"{"architecture":{"type":"dense","w_std":"a"},"x1":[[1]]}"#, "/architecture/w_std"),
        (#"{"architecture":{"type":"dense","width":0},"x1":[[1]]}"#, "/architecture/width"),
        (#"{"architecture":{"type":"dense","parameterization":"mup"},"x1":[[1]]}"#, "/architecture/parameterization"),
        (#"{"architecture":{"type":"dense","wstd":1},"x1":[[1]]}"#, "/architecture/wstd"),
        (#"{"architecture":{"type":"serial","layers":[{"type":"dense"},{"type":"relu"},{"type":"erf"}]},"x1":[[1]]}"#, "/architecture/layers/2"),
        (#"{"architecture":{"type":"serial","layers":3},"x1":[[1]]}"#, "/architecture/layers"),
        (#"{"architecture":{"type":"mlp"},"x1":[[1]]}"#, "/architecture/depth"),
        (#"{"architecture":{"type":"mlp","depth":1,"activation":"dense"},"x1":[[1]]}"#, "/architecture/activation"),
        (#"{"architecture":{"type":"dense"},"x1":[1,2]}"#, "/x1"),
        (#"{"architecture":{"type":"dense"},"x1":[]}"#, "/x1"),
        (#"{"architecture":{"type":"dense"},"x1":[[]]}"#, "/x1"),
        (#"{"architecture":{"type":"dense"},"x1":[[1,2],[3]]}"#, "/x1/1"),
        (#"{"architecture":{"type":"dense"},"x1":[[1,"2"]]}"#, "/x1/0/1"),
        (#"{"architecture":{"type":"dense"},"x1":[[1,2]],"x2":[[1]]}"#, "/x2"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"kinds":[]}"#, "/kinds"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"kinds":["ntk","ntk"]}"#, "/kinds/1"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"kinds":["ntkk"]}"#, "/kinds/0"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"precision":"float16"}"#, "/precision"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"x2":[[1]],"diagonal":true}"#, "/x2"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"x3":[[1]]}"#, "/x3"),
        (#"{"architecture":{"type":"dense"},"x1":[[1],[1e200]]}"#, "/x1/1"),
        (#"{"architecture":{"type":"dense"},"x1":[[1]],"x2":[[1e30]],"precision":"float32"}"#, "/x2/0"),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[4,2]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/filter_shape/0"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/filter_shape"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/filter_shape"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2],"strides":[1]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/strides"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,0]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/filter_shape/1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2],"padding":"reflect"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/padding"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"flatten"},{"type":"relu"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/2"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"flatten"},{"type":"conv","filter_shape":[1,1]}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/2"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"fan_out","count":2},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/2"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"fan_in_sum"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"fan_out","count":2},{"type":"parallel","branches":[{"type":"identity"}]}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/2/branches"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"fan_out","count":2},{"type":"parallel","branches":[{"type":"identity"},{"type":"conv","filter_shape":[2,2]}]},{"type":"fan_in_sum"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/3"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"residual","layers":[{"type":"relu"}]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"layer_norm","axes":[1]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/axes"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"layer_norm","axes":["channel",5]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/axes/1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"dropout","keep_probability":0},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/keep_probability"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"dropout","keep_probability":0.5},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"global_self_attention","linear_scaling":false},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/mechanism"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"image_resize","shape":[-1,2,2],"method":"linear"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/shape"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"image_resize","shape":[-1,2,2,-1],"method":"cubic"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/method"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"index","idx":[null,5]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/idx/1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"index","idx":[0]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/idx/0"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"avg_pool","window_shape":[3,3]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/window_shape/0"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"aggregate"},{"type":"global_sum_pool"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/pattern1"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"elementwise","expression":"x +"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/expression"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"elementwise","expression":"log(x)"},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/expression"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"polynomial","coefficients":[]},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/coefficients"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2,2]},{"type":"monomial","degree":99},{"type":"flatten"}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/1/degree"
        ),
        (
            #"{"architecture":{"type":"serial","layers":[{"type":"repeat","count":10000,"layer":{"type":"repeat","count":10000,"layer":{"type":"dense"}}}]},"x1":[[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]]}"#,
            "/architecture/layers/0/layer/layer"
        ),
        ("[1,2]", ""),
    ])
    func refusesWithAPointer(request: String, pointer: String) async throws {
        let answer = try await client.post("/v1/kernels", request)
        #expect(answer.status == 422 && answer.fields[.contentType] == "application/problem+json", "\(answer.text)")
        #expect(try answer.pointers == [pointer], "\(answer.text)")
    }

    @Test(arguments: [
        ("", ""), ("{", ""), (#"{"x1":[NaN]}"#, "/x1/0"), (#"{"x1":1,"x1":2}"#, "/x1"), (#"{"x1":[1e999]}"#, "/x1/0"),
    ])
    func malformedIs400(request: String, pointer: String) async throws {
        let answer = try await client.post("/v1/kernels", request)
        #expect(answer.status == 400)
        #expect(try answer.pointers == [pointer], "\(answer.text)")
    }

    @Test func memoryIsLimited() async throws {
        var limits = NTKService.Limits()
        limits.memoryBytes = 4_000
        let client = ServiceClient(limits: limits)
        let points = (0..<20).map { "[\($0)]" }.joined(separator: ",")
        let answer = try await client.post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[\#(points)]}"#)
        #expect(answer.status == 422 && answer.text.contains("/problems/over-limit"))
        #expect(try await client.post("/v1/kernels", #"{"architecture":{"type":"dense"},"x1":[[1]]}"#).status == 200)
    }
}
