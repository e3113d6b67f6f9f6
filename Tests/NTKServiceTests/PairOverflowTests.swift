import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Pairs of points whose value is at an end of the numbers' range although the points' own are not: a number, or a refusal before any status.
struct PairOverflowTests {
    private static let hermite = #"{"type":"dense"},{"type":"hermite","degree":20},{"type":"dense"},{"type":"hermite","degree":20}"#

    private func ask(_ layers: String, _ points: String, precision: String = "float64") async throws -> ServiceClient.Answer {
        let body = #"{"architecture":{"type":"serial","layers":[\#(layers)]},"kinds":["nngp","ntk"],"precision":"\#(precision)",\#(points)}"#
        return try await ServiceClient().send(.post, "/v1/kernels", [.contentType: "application/json"], body: Array(body.utf8))
    }

    /// The right value is 10^-700 and less.
    @Test(arguments: ["float64", "float32"])
    func whatUnderflowsIsZero(precision: String) async throws {
        let answer = try await ask(Self.hermite, #""x1":[[0.54,-0.18]],"x2":[[0.15,0.54]]"#, precision: precision)
        #expect(answer.status == 200, "\(answer.text)")
        for kind in ["nngp", "ntk"] { #expect(try answer.array(kind).elements == [0]) }
    }

    @Test func manyPointsOfALargeDegree() async throws {
        let points = (0..<200).map { "[\(sin(Double($0))),\(cos(1.7 * Double($0)))]" }.joined(separator: ",")
        let answer = try await ask(#"{"type":"dense"},{"type":"hermite","degree":30},{"type":"dense"}"#, #""x1":[\#(points)]"#)
        #expect(answer.status == 200)
        for kind in ["nngp", "ntk"] {
            let array = try answer.array(kind)
            #expect(array.shape == [200, 200] && array.elements.allSatisfy(\.isFinite))
        }
    }

    @Test func gaborFarOut() async throws {
        let answer = try await ask(#"{"type":"dense"},{"type":"gabor"},{"type":"dense"}"#, #""x1":[[1e70,1],[1,2]],"x2":[[1e70,2],[-1e70,0]]"#)
        #expect(answer.status == 200, "\(answer.text)")
        for kind in ["nngp", "ntk"] { #expect(try answer.array(kind).elements.allSatisfy(\.isFinite)) }
    }

    /// No covariance may exceed those of its points with themselves.
    @Test func whatGrowsWithDistanceIsRefused() async throws {
        let answer = try await ask(#"{"type":"dense"},{"type":"exp_normalized","gamma":-1000},{"type":"dense"}"#, #""x1":[[1,0],[0,1]]"#)
        #expect(answer.status == 422)
        #expect(try answer.pointers == ["/architecture/layers/1/gamma"])
    }
}
