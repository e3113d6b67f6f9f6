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

    @Test func singularIsExplained() async throws {
        for training in ["[[1,2],[1,2],[0,1]]", "[[1,2],[2,4],[0,1]]"] {
            let answer = try await client.post(
                "/v1/predictions", #"{"kernel":\#(Self.kernel),"x_train":\#(training),"y_train":[1,2,3],"x_test":[[1,1]]}"#)
            #expect(answer.status == 422 && answer.text.contains("/problems/singular-system"), "\(answer.text)")
        }
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
