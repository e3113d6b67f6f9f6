import Foundation
import TensorFormats
import Testing

struct PredictionEndpointTests {
    let client = ServiceClient()
    static let kernel = #"{"architecture":{"type":"mlp","depth":1,"w_std":1.4142135623730951}}"#

    @Test func regressionInterpolates() async throws {
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[1,1]],"y_train":[1,2,3],"x_test":[[1,0],[1,1]],"covariance":"diagonal"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let mean = try answer.array("mean")
        #expect(mean.shape == [2] && abs(mean.elements[0] - 1) < 1e-12 && abs(mean.elements[1] - 3) < 1e-12)
        #expect(try answer.array("variance").elements.allSatisfy { $0 >= 0 && $0 < 1e-12 })
    }

    @Test func severalOutputsAreEachTheirOwn() async throws {
        func mean(_ targets: String) async throws -> (shape: [Int], elements: [Double]) {
            try await client.post(
                "/v1/predictions", #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[1,2]],"y_train":\#(targets),"x_test":[[2,1]],"ridge":0.1}"#
            ).array("mean")
        }
        let both = try await mean("[[1,5],[2,-1],[3,0]]")
        let first = try await mean("[1,2,3]")
        let second = try await mean("[[5],[-1],[0]]")
        #expect(both.shape == [1, 2] && first.shape == [1] && second.shape == [1, 1])
        #expect(abs(both.elements[0] - first.elements[0]) < 1e-15)
        #expect(abs(both.elements[1] - second.elements[0]) < 1e-15)
    }

    @Test(arguments: [
        (#"["cat","dog","cat"]"#, #""labels":["cat","dog"],"classes":["cat","dog"]"#), ("[7,-3,7]", #""labels":[7,-3],"classes":[-3,7]"#),
    ])
    func classification(labels: String, expected: String) async throws {
        let answer = try await client.post(
            "/v1/predictions", #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[2,0.5]],"labels":\#(labels),"x_test":[[3,0],[0,2]]}"#)
        #expect(answer.text.contains(expected), "\(answer.text)")
        #expect(try answer.array("scores").shape == [2, 2])
    }

    @Test func oneClassIsAlwaysIt() async throws {
        let answer = try await client.post(
            "/v1/predictions", #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1]],"labels":["a","a"],"x_test":[[3,0]]}"#)
        #expect(answer.status == 200 && answer.text.contains(#""labels":["a"]"#), "\(answer.text)")
    }

    @Test func relativeRidgeIsInUnitsOfTheMeanDiagonal() async throws {
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,3]],"y_train":[1,2],"x_test":[[1,1]],"ridge":0.5,"ridge_scale":"relative"}"#)
        guard case .object(let diagnostics) = try answer.object["diagnostics"], case .number(let ridge) = diagnostics["ridge"] else {
            Issue.record("\(answer.text)")
            return
        }
        // Θ(x, x) = 2|x|²/2: 1 and 9 (times 1 for w_std² = 2), whose mean is 10 / 2 · 2 / 2.
        #expect(abs(ridge.value - 0.5 * 10) < 1e-12, "\(ridge.value)")
    }

    @Test func fullCovariance() async throws {
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,3]],"y_train":[1,2],"x_test":[[1,1],[2,1],[1,0]],"ridge":0.5,"covariance":"full"}"#)
        let covariance = try answer.array("covariance")
        #expect(covariance.shape == [3, 3] && covariance.elements[1] == covariance.elements[3])
    }

    /// Equal points are merged; without a bias points in one direction leave a singular kernel, which is solved by least squares, reported,
    /// or refused.
    @Test func singularIsExplained() async throws {
        func ask(_ training: String, _ more: String) async throws -> ServiceClient.Answer {
            try await client.post(
                "/v1/predictions", #"{"kernel":\#(Self.kernel),"x_train":\#(training),"y_train":[1,2,3],"x_test":[[1,2]]\#(more)}"#)
        }
        let equal = try await ask("[[1,2],[1,2],[0,1]]", "")
        #expect(equal.text.contains(#""duplicates_merged":1,"conflicting_duplicates":1"#), "\(equal.text)")
        #expect(try abs(equal.array("mean").elements[0] - 1.5) < 1e-12)
        let parallel = try await ask("[[1,2],[2,4],[0,1]]", "")
        #expect(parallel.text.contains(#""method":"minimum_norm","ridge":0,"rank":2"#), "\(parallel.text)")
        let refused = try await ask("[[1,2],[2,4],[0,1]]", #","on_singular":"refuse""#)
        #expect(refused.status == 422 && refused.text.contains("/problems/singular-system"), "\(refused.text)")
        let jittered = try await ask("[[1,2],[2,4],[0,1]]", #","on_singular":"jitter""#)
        #expect(jittered.status == 200 && !jittered.text.contains(#""jitter":0,"#), "\(jittered.text)")
    }

    @Test(arguments: ["leave_one_out", "gcv", "marginal_likelihood"])
    func ridgesAreSelected(criterion: String) async throws {
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[1,2],[2,-1]],"y_train":[1,2,2.5,0],"x_test":[[1,1]],"ridge":{"select":"\#(criterion)","candidates":[100,0.01,0.1]}}"#
        )
        #expect(
            answer.status == 200 && answer.text.contains(#""selection":{"criterion":"\#(criterion)","candidates":[100,0.01,0.1],"values":["#),
            "\(answer.text)")
        let standard = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1]],"y_train":[1,2],"x_test":[[1,1]],"ridge":{"select":"\#(criterion)"},"ridge_scale":"relative"}"#
        )
        #expect(standard.status == 200, "\(standard.text)")
    }

    @Test func givenMatrices() async throws {
        let kernel =
            #"{"matrices":{"train_train":[[2,1],[1,3]],"test_train":[[1,1]],"test_test":[4],"nngp":{"train_train":[[1,0],[0,1]],"test_train":[[0.5,0.5]],"test_test":[[2]]}}}"#
        let answer = try await client.post("/v1/predictions", #"{"kernel":\#(kernel),"y_train":[1,2],"covariance":"diagonal"}"#)
        // α = (1/5, 3/5); 4 − kᵀK⁻¹k = 4 − 3/5.
        #expect(try abs(answer.array("mean").elements[0] - 0.8) < 1e-14 && abs(answer.array("variance").elements[0] - 3.4) < 1e-14, "\(answer.text)")
        let ensemble = try await client.post("/v1/predictions", #"{"kernel":\#(kernel),"y_train":[1,2],"covariance":"full","posterior":"ensemble"}"#)
        // V = (2/5, 1/5): 2 + VVᵀ − 2·(V·k*) = 2 + 1/5 − 3/5.
        #expect(try abs(ensemble.array("covariance").elements[0] - 1.6) < 1e-14, "\(ensemble.text)")
        for (bad, pointer) in [
            (#"{"train_train":[[2,1],[0,3]],"test_train":[[1,1]]}"#, "/kernel/matrices/train_train/0/1"),
            (#"{"train_train":[[2,1]],"test_train":[[1,1]]}"#, "/kernel/matrices/train_train"),
            (#"{"train_train":[[-2,1],[1,3]],"test_train":[[1,1]]}"#, "/kernel/matrices/train_train/0/0"),
            (#"{"train_train":[[2,1],[1,3]],"test_train":[[1]]}"#, "/kernel/matrices/test_train"),
            (#"{"train_train":[[2,1],[1,3]]}"#, "/kernel/matrices/test_train"),
            (#"{"train_train":[[2,1],[1,3]],"test_train":[[1,1]]}"#, "/kernel/matrices/test_test"),
            (#"{"train_train":[[1,3],[3,1]],"test_train":[[1,1]],"test_test":[1]}"#, "/kernel"),
        ] {
            let answer = try await client.post("/v1/predictions", #"{"kernel":{"matrices":\#(bad)},"y_train":[1,2],"covariance":"diagonal"}"#)
            #expect(try answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
        }
    }

    /// Asked for, or where a factor would not fit the memory of one request.
    @Test func conjugateGradients() async throws {
        let points = (0..<40).map { "[\(sin(Double($0))),\(cos(1.7 * Double($0)))]" }.joined(separator: ",")
        let targets = (0..<40).map { "\(sin(0.3 * Double($0)))" }.joined(separator: ",")
        let request = #"{"kernel":\#(Self.kernel),"x_train":[\#(points)],"y_train":[\#(targets)],"x_test":[[0.5,0.5]],"ridge":0.01"#
        let direct = try await client.post("/v1/predictions", request + "}").array("mean").elements
        let asked = try await client.post("/v1/predictions", request + #","solver":"conjugate_gradient"}"#)
        #expect(asked.text.contains(#""method":"conjugate_gradient""#) && asked.text.contains(#""iterations":"#), "\(asked.text)")
        #expect(try abs(asked.array("mean").elements[0] - direct[0]) < 1e-6)
        let refused = try await client.post("/v1/predictions", request + #","solver":"conjugate_gradient","covariance":"full"}"#)
        #expect(try refused.status == 422 && refused.pointers == ["/covariance"], "\(refused.text)")
    }

    @Test func ensembleOfNetworks() async throws {
        let request =
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,3]],"y_train":[1,2],"x_test":[[1,1],[2,1],[1,0]],"covariance":"full","posterior":"ensemble"}"#
        let covariance = try await client.post("/v1/predictions", request).array("covariance")
        // Trained to convergence, all networks agree at a training point.
        #expect(covariance.shape == [3, 3] && abs(covariance.elements[8]) < 1e-13 && covariance.elements[0] > 0.01)
    }

    @Test func probabilitiesAreCalibrated() async throws {
        let answer = try await client.post(
            "/v1/predictions",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[2,0.5],[0.3,1],[1,-0.2],[0,2]],"labels":["a","b","a","b","a","b"],"x_test":[[3,0.1],[0,2]],"ridge":0.1}"#
        )
        let probabilities = try answer.array("probabilities")
        #expect(probabilities.shape == [2, 2] && probabilities.elements[0] > 0.7 && probabilities.elements[3] > 0.7, "\(answer.text)")
        #expect(abs(probabilities.elements[0] + probabilities.elements[1] - 1) < 1e-15)
        #expect(answer.text.contains(#""leave_one_out_accuracy":1"#), "\(answer.text)")
    }

    @Test(arguments: [
        (#""x_train":[[1,0]],"x_test":[[1,0]]"#, "/y_train"),
        (#""x_train":[[1,0]],"y_train":[1],"labels":[1],"x_test":[[1,0]]"#, "/labels"),
        (#""x_train":[[1,0]],"y_train":[1,2],"x_test":[[1,0]]"#, "/y_train"),
        (#""x_train":[[1,0]],"y_train":[[]],"x_test":[[1,0]]"#, "/y_train"),
        (#""x_train":[[1,0]],"labels":[1.5],"x_test":[[1,0]]"#, "/labels/0"),
        (#""x_train":[[1,0]],"labels":[true],"x_test":[[1,0]]"#, "/labels/0"),
        (#""x_train":[[1,0]],"labels":["a","b"],"x_test":[[1,0]]"#, "/labels"),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1]]"#, "/x_test"),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1,0]],"ridge":-1"#, "/ridge"),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1,0]],"ridge_scale":"log"#, ""),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1,0]],"ridge_scale":"log""#, "/ridge_scale"),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1,0]],"covariance":true"#, "/covariance"),
        (#""x_train":[[1e200,0]],"y_train":[1],"x_test":[[1,0]]"#, "/x_train/0"),
        (#""x_train":[[1,0]],"y_train":[1],"x_test":[[1e200,0]]"#, "/x_test/0"),
        (#""x_train":[[1e-150,0]],"y_train":[1e300],"x_test":[[1,0]]"#, "/y_train"),
    ])
    func refusesWithAPointer(fields: String, pointer: String) async throws {
        let answer = try await client.post("/v1/predictions", #"{"kernel":\#(Self.kernel),\#(fields)}"#)
        #expect(answer.status == (pointer.isEmpty ? 400 : 422), "\(answer.text)")
        if !pointer.isEmpty { #expect(try answer.pointers == [pointer], "\(answer.text)") }
    }
}
