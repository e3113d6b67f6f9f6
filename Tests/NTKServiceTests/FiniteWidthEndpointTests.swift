import Foundation
import HTTPTypes
import TensorFormats
import Testing

struct FiniteWidthEndpointTests {
    let client = ServiceClient()
    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    private func post(_ fields: String, _ architecture: String = #"{"type":"mlp","depth":2,"w_std":1.3,"b_std":0.2}"#) async throws
        -> ServiceClient.Answer
    {
        try await client.post("/v1/finite-width", #"{"architecture":\#(architecture),"x1":[[1,2],[-1,0.5]]\#(fields)}"#)
    }

    /// The limit is the kernel, and a width's mean and deviation follow from the coefficients.
    @Test func limitAndWidths() async throws {
        let answer = try await post(#","kinds":["nngp","ntk"],"widths":[64]"#)
        #expect(answer.status == 200, "\(answer.text)")
        let kernels = try await client.post(
            "/v1/kernels", #"{"architecture":{"type":"mlp","depth":2,"w_std":1.3,"b_std":0.2},"x1":[[1,2],[-1,0.5]],"kinds":["ntk","nngp"]}"#)
        for kind in ["ntk", "nngp"] {
            let (limit, known) = (try answer.array(kind).elements, try kernels.array(kind).elements)
            for (left, right) in zip(limit, known) { #expect(abs(left - right) <= 1e-12 * known[0]) }
        }
        struct Body: Decodable {
            struct Row: Decodable {
                struct Moments: Decodable { var mean, standardDeviation: [[Double]] }
                var width: Int
                var ntk: Moments
            }
            var widths: [Row]
            var ntk, ntkCorrection, ntkVariance: [[Double]]
        }
        let body = try Self.decoder.decode(Body.self, from: Data(answer.body))
        let row = try #require(body.widths.first)
        #expect(row.width == 64 && body.widths.count == 1)
        for i in 0..<2 {
            for j in 0..<2 {
                #expect(abs(row.ntk.mean[i][j] - body.ntk[i][j] - body.ntkCorrection[i][j] / 64) <= 1e-12)
                #expect(abs(row.ntk.standardDeviation[i][j] - (body.ntkVariance[i][j] / 64).squareRoot()) <= 1e-12)
            }
        }
    }

    /// The mean over many outputs spreads less than one of them; the two points are orthogonal, so that between them the readout's share is
    /// all there is, which is the same for each output.
    @Test func outputsAreAveraged() async throws {
        let wide = #"{"type":"serial","layers":[{"type":"dense","width":32},{"type":"erf"},{"type":"dense","width":100}]}"#
        let one = try await post("", wide).array("ntk_variance").elements
        let mean = try await post(#","outputs":"mean""#, wide).array("ntk_variance").elements
        for i in [0, 3] { #expect(mean[i] < one[i] && mean[i] > 0) }
        for i in [1, 2] { #expect(abs(mean[i] - one[i]) <= 1e-12 * one[0]) }
    }

    /// In the standard parameterization the limit grows with the width, and each width has its own.
    @Test func standardParameterization() async throws {
        let layers = { (width: Int) in
            #"{"type":"serial","layers":[{"type":"dense","width":\#(width),"parameterization":"standard"},{"type":"relu"},{"type":"dense","parameterization":"standard"}]}"#
        }
        let answer = try await post(#","widths":[64,128]"#, layers(64))
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.text.contains(#""width":128"#))
        let kernel = try await client.post("/v1/kernels", #"{"architecture":\#(layers(64)),"x1":[[1,2],[-1,0.5]]}"#).array("ntk").elements
        for (left, right) in zip(try answer.array("ntk").elements, kernel) { #expect(abs(left - right) <= 1e-12 * kernel[0]) }
        #expect(try await post("", #"{"type":"mlp","depth":1,"parameterization":"standard"}"#).status == 422)
    }

    @Test(arguments: [
        (#","tolerance":0"#, "/tolerance"), (#","widths":[0]"#, "/widths/0"), (#","x2":[[1]]"#, "/x2"), (#","outputs":"all""#, "/outputs"),
        (#","kinds":["ntk","ntk"]"#, "/kinds/1"), (#","width":3"#, "/width"),
    ])
    func refuses(_ fields: String, pointer: String) async throws {
        let answer = try await post(fields)
        #expect(answer.status == 422)
        #expect(answer.text.contains(#""pointer":"\#(pointer)""#), "\(answer.text)")
    }

    @Test func namesTheLayerThatHasNoOrder() async throws {
        let answer = try await post("", #"{"type":"serial","layers":[{"type":"dense"},{"type":"layer_norm"},{"type":"relu"},{"type":"dense"}]}"#)
        #expect(answer.status == 422 && answer.text.contains(#""pointer":"/architecture/layers/1""#), "\(answer.text)")
    }

    /// Kernels of finite networks, drawn, have the mean and the spread that is predicted: within four standard errors and a tenth of the correction,
    /// which is the next order at width 64. `make finite-width-campaign` does it with 20,000 networks a width.
    @Test func convergenceIsPredicted() async throws {
        let answer = try await client.post(
            "/v1/convergence",
            #"{"architecture":{"type":"mlp","depth":2,"activation":"erf","w_std":1.5,"b_std":0.3},"x":[[1,-0.5]],"widths":[64],"samples":300,"seed":1}"#
        )
        struct Body: Decodable {
            struct Row: Decodable {
                struct Diagonal: Decodable { var mean, standardError, infinite: Double }
                struct Predicted: Decodable {
                    struct Diagonal: Decodable { var mean, standardDeviation: Double }
                    var relativeError: Double
                    var diagonal: Diagonal
                }
                var diagonal: Diagonal
                var predicted: Predicted
            }
            var widths: [Row]
        }
        let row = try #require(Self.decoder.decode(Body.self, from: Data(answer.body)).widths.first)
        let correction = row.predicted.diagonal.mean - row.diagonal.infinite
        #expect(abs(row.diagonal.mean - row.predicted.diagonal.mean) <= 4 * row.diagonal.standardError + 0.1 * abs(correction), "\(answer.text)")
        let deviation = row.diagonal.standardError * 300.0.squareRoot()
        #expect(abs(deviation / row.predicted.diagonal.standardDeviation - 1) <= 0.25, "\(answer.text)")
        let pooled = try await client.post(
            "/v1/convergence",
            #"{"architecture":{"type":"serial","layers":[{"type":"conv","filter_shape":[2]},{"type":"relu"},{"type":"global_avg_pool"},{"type":"dense"}]},"x":[[[1],[2],[0]]],"widths":[8],"samples":2}"#
        )
        #expect(pooled.status == 200 && !pooled.text.contains("predicted"), "\(pooled.text)")
    }
}
