import Foundation
import NTKService
import TensorFormats
import Testing

/// Posteriors against regression with the network's own kernel, whose covariance a Gaussian likelihood has, and against themselves.
struct PosteriorEndpointTests {
    let client = ServiceClient()
    private static let x = AttributionEndpointTests.x
    private static let test = AttributionEndpointTests.test
    private static let network = AttributionEndpointTests.network
    private static let labels = [0, 2, 1, 1, 0, 2]
    private static let classes = #""network":\#(network),"x_train":\#(x),"labels":\#(labels),"x_test":\#(test)"#
    private static let y: [[Double]] = (0..<6).map { [Double($0), 1, Double($0 % 2)] }

    private func answer(_ request: String) async throws -> ServiceClient.Answer {
        let answer = try await client.post("/v1/posteriors", request)
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    private func number(_ answer: ServiceClient.Answer, _ field: String) throws -> Double {
        guard case .number(let number) = try answer.object[field] else { throw JSONError(.shape, at: "/\(field)", answer.text) }
        return number.value
    }

    /// With prior precision δ and noise σ², f is a Gaussian process with kernel Θ/δ: that of Θ with noise σ²δ, over δ.
    @Test func gaussianPosteriorsAreRegressions() async throws {
        let (noise, delta) = (0.3, 1.7)
        let found = try await answer(
            #"""
            {"network":\#(Self.network),"x_train":\#(Self.x),"y_train":\#(Self.y),"noise":\#(noise),"prior_precision":\#(delta),"x_test":\#(Self.test),
             "y_test":[[1,2,3],[0,1,0]]}
            """#)
        let regression = try await client.post(
            "/v1/predictions",
            #"""
            {"kernel":{"network":\#(Self.network)},"x_train":\#(Self.x),"y_train":\#(Self.y),"x_test":\#(Self.test),"ridge":\#(noise * delta),
             "covariance":"full"}
            """#)
        let (own, other) = (try found.array("covariance"), try regression.array("covariance"))
        #expect(own.shape == [2, 3, 3] && other.shape == [6, 6])
        for test in 0..<2 {
            for a in 0..<3 {
                for b in 0..<3 {
                    #expect(abs(own.elements[(test * 3 + a) * 3 + b] - other.elements[(test * 3 + a) * 6 + test * 3 + b] / delta) < 1e-11)
                }
            }
        }
        #expect(found.text.contains("\"mean_squared_error\""))
    }

    @Test func classesHaveProbabilitiesAndFigures() async throws {
        let found = try await answer(#"{\#(Self.classes),"prior_precision":1,"labels_test":[0,1]}"#)
        let probabilities = try found.array("probabilities")
        #expect(probabilities.shape == [2, 3])
        for row in 0..<2 { #expect(abs(probabilities.elements[row * 3..<row * 3 + 3].reduce(0, +) - 1) < 1e-14) }
        #expect(found.text.contains("\"expected_calibration_error\""))
        let sampled = try await answer(#"{\#(Self.classes),"prior_precision":1,"link":"samples","samples":20000,"seed":3}"#)
        let again = try await answer(#"{\#(Self.classes),"prior_precision":1,"link":"samples","samples":20000,"seed":3}"#)
        #expect(sampled.body == again.body)
        // Draws and probit are two approximations of one mean.
        for (left, right) in zip(probabilities.elements, try sampled.array("probabilities").elements) { #expect(abs(left - right) < 0.1) }
    }

    @Test func theChosenPrecisionIsTheBest() async throws {
        let chosen = try await answer("{\(Self.classes)}")
        let precision = try number(chosen, "prior_precision")
        let best = try number(chosen, "log_marginal_likelihood")
        let again = try await answer(#"{\#(Self.classes),"prior_precision":\#(precision)}"#)
        #expect(abs(try number(again, "log_marginal_likelihood") - best) < 1e-10)
        for (left, right) in zip(try chosen.array("covariance").elements, try again.array("covariance").elements) {
            #expect(abs(left - right) < 1e-9)
        }
        for factor in [0.8, 1.25] {
            let other = try await answer(#"{\#(Self.classes),"prior_precision":\#(precision * factor)}"#)
            #expect(try number(other, "log_marginal_likelihood") < best)
        }
        let last = try await answer(#"{\#(Self.classes),"prior_precision":1,"include":["2.*"]}"#)
        let whole = try await answer(#"{\#(Self.classes),"prior_precision":1}"#)
        #expect(try number(last, "effective_parameters") < number(whole, "effective_parameters"))
    }

    /// As many directions as there are give the same, and a few tell how far off they may be.
    @Test func directionsOfWeights() async throws {
        let exact = try await answer(#"{\#(Self.classes),"prior_precision":0.5}"#)
        let all = try await answer(#"{\#(Self.classes),"prior_precision":0.5,"rank":100}"#)
        for (left, right) in zip(try exact.array("covariance").elements, try all.array("covariance").elements) { #expect(abs(left - right) < 1e-8) }
        #expect(abs(try number(all, "log_marginal_likelihood") - number(exact, "log_marginal_likelihood")) < 1e-8)
        #expect(try number(all, "trace_gap") < 1e-9)
        let few = try await answer(#"{\#(Self.classes),"prior_precision":0.5,"rank":3}"#)
        let difference = try number(few, "log_marginal_likelihood") - number(exact, "log_marginal_likelihood")
        #expect(try difference > -1e-9 && difference < number(few, "log_marginal_likelihood_error") + 1e-9)
        #expect(try number(few, "rank") == 3)
    }

    @Test(arguments: [
        (#""labels":[0,1,2,0,1,3]"#, "/labels/5"), (#""labels":[0]"#, "/labels"),
        (#""labels":[0,1,2,0,1,2],"prior_precision":0"#, "/prior_precision"),
        (#""labels":[0,1,2,0,1,2],"prior_precision":{"select":"gcv"}"#, "/prior_precision/select"),
        (#""y_train":[1,2,3,4,5,6],"noise":1"#, "/y_train"),
        (#""y_train":[[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3]]"#, "/noise"), (#""labels":[0,1,2,0,1,2],"samples":5"#, "/samples"),
        (#""labels":[0,1,2,0,1,2],"noise":1"#, "/noise"), (#""labels":[0,1,2,0,1,2],"include":["x"]"#, "/include/0"), ("\"link\":null", "/labels"),
    ])
    func whatMeansNothingIsRefused(field: String, pointer: String) async throws {
        let answer = try await client.post("/v1/posteriors", #"{"network":\#(Self.network),"x_train":\#(Self.x),\#(field)}"#)
        #expect(answer.status == 422)
        #expect(try answer.pointers == [pointer], "\(answer.text)")
    }

    @Test func kernelsMoveOverCheckpoints() async throws {
        let networks = #"[\#(Self.network),\#(Self.network),\#(Self.network.replacingOccurrences(of: "\"seed\":4", with: "\"seed\":5"))]"#
        let found = try await client.post(
            "/v1/kernel-evolutions", #"{"networks":\#(networks),"x":\#(Self.x),"labels":["a","b","a","b","a","b"],"outputs":"sum"}"#)
        #expect(found.status == 200, "\(found.text)")
        guard case .array(let states) = try found.object["checkpoints"] else { throw JSONError(.shape, at: "/checkpoints", found.text) }
        func number(_ index: Int, _ field: String) -> Double? {
            guard case .object(let state) = states[index], case .number(let number) = state[field] else { return nil }
            return number.value
        }
        let kernel = try await client.post("/v1/empirical-kernels", #"{"network":\#(Self.network),"x1":\#(Self.x),"outputs":"sum"}"#)
        let entries = try kernel.array("ntk").elements
        #expect(abs((number(0, "trace") ?? 0) - (0..<6).reduce(0) { $0 + entries[$1 * 7] }) < 1e-11)
        let codes = (0..<6).map { $0 % 2 == 0 ? 0.5 : -0.5 }
        var product = 0.0
        for i in 0..<6 { for j in 0..<6 { product += entries[i * 6 + j] * codes[i] * codes[j] } }
        let norm = entries.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs((number(0, "alignment") ?? 0) - product / norm / 1.5) < 1e-12)
        #expect(number(0, "distance_to_previous") == nil && number(1, "distance_to_previous") == 0 && number(1, "distance_to_first") == 0)
        #expect((number(2, "distance_to_first") ?? 0) > 1e-6)
        #expect(try found.object["classes"] != nil)
        let full = try await client.post("/v1/kernel-evolutions", #"{"networks":\#(networks),"x":\#(Self.x),"outputs":"full"}"#)
        #expect(full.status == 200, "\(full.text)")
        let wrong = try await client.post("/v1/kernel-evolutions", #"{"networks":[],"x":\#(Self.x)}"#)
        #expect(try wrong.pointers == ["/networks"])
    }
}
