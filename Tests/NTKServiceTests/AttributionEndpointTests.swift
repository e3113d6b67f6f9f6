import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// Influences over HTTP against predictions of training sets without the points.
struct AttributionEndpointTests {
    let client = ServiceClient()
    static let kernel = #"{"architecture":{"type":"mlp","depth":2,"w_std":1.4,"b_std":0.2}}"#
    static let x: [[Double]] = [[0.1, 1], [1, 0.5], [2, -1], [2, -1], [0.3, 0.3], [-1, 0.4]]
    static let y: [[Double]] = [[0, 1], [1, 2], [0, 1], [1, 1], [3, 0], [0.5, -1]]
    static let test: [[Double]] = [[0.4, 0.2], [-0.5, 1.5]]
    static let network = #"""
        {"architecture":{"type":"serial","layers":[{"type":"dense","width":6,"b_std":0.3,"w_std":1.5},{"type":"tanh"},{"type":"dense","width":3}]},
         "initialization":{"seed":4}}
        """#

    private func body(_ kernel: String, _ kept: [Int], _ targets: (Int) -> String, isLabels: Bool = false) -> String {
        let (x, y) = (kept.map { Self.x[$0] }, kept.map(targets).joined(separator: ","))
        return #""kernel":\#(kernel),"x_train":\#(x),"\#(isLabels ? "labels" : "y_train")":[\#(y)],"x_test":\#(Self.test),"ridge":0.05"#
    }

    private func array(_ path: String, _ request: String, _ field: String) async throws -> (shape: [Int], elements: [Double]) {
        let answer = try await client.post(path, request)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.array(field)
    }

    private func predictions(_ kernel: String, _ kept: [Int], _ targets: (Int) -> String, _ field: String = "mean") async throws -> [Double] {
        try await array("/v1/predictions", "{\(body(kernel, kept, targets, isLabels: field == "scores"))}", field).elements
    }

    @Test func pointsAndGroupsAreWhatPredictionsLose() async throws {
        let all = Array(0..<Self.x.count)
        let matrix: (Int) -> String = { "\(Self.y[$0])" }
        let mean = try await predictions(Self.kernel, all, matrix)
        let request = body(Self.kernel, all, matrix)
        let influence = try await array("/v1/attributions", "{\(request)}", "influence")
        #expect(influence.shape == [2, 6, 2])
        for point in all {
            let rest = try await predictions(Self.kernel, all.filter { $0 != point }, matrix)
            for (place, (before, after)) in zip(mean, rest).enumerated() {
                let own = influence.elements[(place / 2 * 6 + point) * 2 + place % 2]
                #expect(abs(before - after - own) < 1e-12)
            }
        }
        let groups = try await array(
            "/v1/attributions", #"{\#(request),"kind":"group","groups":{"equal":[3,2],"one":[2],"some":[0,3,5]}}"#, "influence")
        #expect(groups.shape == [2, 3, 2])
        for (index, group) in [[2, 3], [2], [0, 3, 5]].enumerated() {
            let rest = try await predictions(Self.kernel, all.filter { !group.contains($0) }, matrix)
            for (place, (before, after)) in zip(mean, rest).enumerated() {
                #expect(abs(before - after - groups.elements[(place / 2 * 3 + index) * 2 + place % 2]) < 1e-12)
            }
        }
    }

    @Test func labelsHaveScoresAndProbabilities() async throws {
        let all = Array(0..<Self.x.count)
        let labels: (Int) -> String = { ["\"a\"", "\"b\"", "\"a\"", "\"a\"", "\"b\"", "\"c\""][$0] }
        let request = "{\(body(Self.kernel, all, labels, isLabels: true))}"
        let scores = try await predictions(Self.kernel, all, labels, "scores")
        let influence = try await array("/v1/attributions", request, "influence")
        #expect(influence.shape == [2, 6, 3])
        // Point 0, without which all classes are still there.
        let rest = try await predictions(Self.kernel, Array(1..<6), labels, "scores")
        for place in 0..<6 { #expect(abs(scores[place] - rest[place] - influence.elements[place / 3 * 18 + place % 3]) < 1e-12) }
        let probabilities = try await array("/v1/attributions", request, "mislabel_log_probability")
        #expect(probabilities.shape == [6] && probabilities.elements.allSatisfy { $0 <= 0 })
    }

    @Test func weightsMakeThePrediction() async throws {
        let y: [Double] = [1, -2, 0.5, 1.5, 3, 0]
        let request = body(Self.kernel, Array(0..<6)) { "\(y[$0])" }
        let mean = try await array("/v1/predictions", "{\(request)}", "mean").elements
        let weights = try await array("/v1/attributions", #"{\#(request),"kind":"weights"}"#, "weights")
        let terms = try await array("/v1/attributions", #"{\#(request),"kind":"weights"}"#, "influence")
        #expect(weights.shape == [2, 6] && terms.shape == [2, 6])
        for test in 0..<2 {
            #expect(abs((0..<6).reduce(0) { $0 + weights.elements[test * 6 + $1] * y[$1] } - mean[test]) < 1e-12)
            #expect(abs((0..<6).reduce(0) { $0 + terms.elements[test * 6 + $1] } - mean[test]) < 1e-12)
        }
        let top = try await client.post("/v1/attributions", #"{\#(request),"top":2}"#)
        let all = try await array("/v1/attributions", "{\(request)}", "influence").elements
        let (indices, values) = (try top.array("indices"), try top.array("influence"))
        #expect(indices.shape == [2, 2] && values.shape == [2, 2])
        for place in 0..<4 { #expect(all[place / 2 * 6 + Int(indices.elements[place])] == values.elements[place]) }
        #expect(all.prefix(6).map(abs).max() == abs(values.elements[0]))
        #expect(try await client.post("/v1/attributions", #"{\#(request),"top":1073741824}"#).array("indices").shape == [2, 6])
    }

    /// The kernel of a network tells outputs apart.
    @Test func networksLoseAllOutputsOfAPoint() async throws {
        let kernel = #"{"network":\#(Self.network)}"#
        let all = Array(0..<Self.x.count)
        let y: (Int) -> String = { "[\(Self.y[$0][0]),\(Self.y[$0][1]),\($0)]" }
        let mean = try await predictions(kernel, all, y)
        let influence = try await array("/v1/attributions", "{\(body(kernel, all, y))}", "influence")
        #expect(influence.shape == [2, 6, 3])
        for point in [0, 2, 5] {
            let rest = try await predictions(kernel, all.filter { $0 != point }, y)
            for place in 0..<6 {
                #expect(abs(mean[place] - rest[place] - influence.elements[(place / 3 * 6 + point) * 3 + place % 3]) < 1e-11)
            }
        }
    }

    @Test func storedRegressorsAnswerTheSame() async throws {
        let scratch = RegressorEndpointTests.Scratch()
        let server = try scratch.server()
        let fit = #"{"kernel":\#(Self.kernel),"x_train":\#(Self.x),"y_train":\#(Self.y),"ridge":0.05}"#
        let id = try RegressorEndpointTests.id(await server.post("/v1/regressors", fit))
        let direct = try await client.post("/v1/attributions", "{\(body(Self.kernel, Array(0..<6)) { "\(Self.y[$0])" })}")
        for _ in 0..<2 {
            let stored = try await server.post("/v1/attributions", #"{"regressor":"\#(id)","x_test":\#(Self.test)}"#)
            #expect(stored.status == 200, "\(stored.text)")
            for field in ["influence", "self_influence", "leverage", "mislabel_log_probability"] {
                let (left, right) = (try direct.array(field), try stored.array(field))
                #expect(left.shape == right.shape)
                for (a, b) in zip(left.elements, right.elements) { #expect(abs(a - b) < 1e-12 * max(1, abs(a))) }
            }
        }
        let unknown = try await server.post("/v1/attributions", #"{"regressor":"\#(String(repeating: "0", count: 64))","x_test":\#(Self.test)}"#)
        #expect(unknown.status == 422)
        #expect(try unknown.pointers == ["/regressor"])
    }

    @Test(arguments: [
        (#""kind":"group""#, "/groups"), (#""groups":{"a":[0]}"#, "/groups"), (#""kind":"group","groups":{"a":[6]}"#, "/groups/a/0"),
        (#""kind":"group","groups":{"a":[1,1]}"#, "/groups/a"), (#""kind":"trak""#, "/kind"), (#""top":0"#, "/top"),
        (#""kind":"self","top":3"#, "/top"), (#""solver":"conjugate_gradient""#, "/solver"), (#""covariance":"diagonal""#, "/covariance"),
    ])
    func whatMeansNothingIsRefused(field: String, pointer: String) async throws {
        let request = body(Self.kernel, Array(0..<6)) { "\(Self.y[$0])" }
        let answer = try await client.post("/v1/attributions", "{\(request),\(field)}")
        #expect(answer.status == 422)
        #expect(try answer.pointers == [pointer], "\(answer.text)")
    }

    /// Generated clients write null for every field that they were not given.
    @Test func nullsAreAbsent() async throws {
        func nulls(_ given: [String]) -> String {
            let fields = [
                "kernel", "regressor", "networks", "x_train", "pattern_train", "y_train", "labels", "ridge", "ridge_scale", "posterior",
                "on_singular", "diagnostics", "solver", "x_test", "pattern_test", "labels_test", "test_train", "test_test", "nngp", "groups", "top",
                "output", "include", "exclude", "kind",
            ]
            return fields.filter { !given.contains($0) }.map { "\"\($0)\":null" }.joined(separator: ",")
        }
        let request = body(Self.kernel, Array(0..<6)) { "\(Self.y[$0])" }
        let regression = try await client.post(
            "/v1/attributions", "{\(request),\(nulls(["kernel", "x_train", "y_train", "x_test", "ridge"]))}")
        #expect(regression.status == 200, "\(regression.text)")
        let classifier = try await client.post(
            "/v1/attributions",
            #"{"networks":[\#(Self.network)],"x_train":\#(Self.x),"labels":[0,1,2,0,1,2],"x_test":\#(Self.test),"ridge":1,"#
                + "\(nulls(["networks", "x_train", "labels", "x_test", "ridge"]))}")
        #expect(classifier.status == 200, "\(classifier.text)")
    }

    @Test func withoutTestPointsPointsAreToldOf() async throws {
        let kernel = #"{"matrices":{"train_train":[[2,0],[0,2]]}}"#
        let answer = try await client.post("/v1/attributions", #"{"kernel":\#(kernel),"y_train":[1,3],"ridge":2,"kind":"self"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.array("self_influence").elements == [1, 3] && answer.array("leverage").elements == [0.5, 0.5])
        let density = try answer.array("mislabel_log_probability").elements
        for (found, y) in zip(density, [1.0, 3.0]) { #expect(abs(found + (log(2 * .pi * 4) + y * y / 4) / 2) < 1e-14) }
    }
}
