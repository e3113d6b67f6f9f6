import Foundation
import TensorFormats
import Testing

struct DynamicsEndpointTests {
    let client = ServiceClient()
    static let kernel = #"{"architecture":{"type":"mlp","depth":1,"w_std":1.4142135623730951,"b_std":0.1}}"#
    static let points = #""kernel":\#(kernel),"x_train":[[1,0],[0,1],[1,2]],"y_train":[1,-1,2],"x_test":[[2,1],[1,0]]"#

    @Test func fromTheStartToTheEnd() async throws {
        let answer = try await client.post(
            "/v1/dynamics", #"{\#(Self.points),"y_test":[0,1],"times":[0,1,1e9],"covariance":"diagonal","target_loss":0.01}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let (mean, train, loss) = (try answer.array("mean"), try answer.array("train_mean"), try answer.array("train_loss"))
        #expect(mean.shape == [3, 2] && train.shape == [3, 3] && loss.shape == [3])
        #expect(mean.elements[0...1].allSatisfy { $0 == 0 } && abs(loss.elements[0] - 1) < 1e-15)
        #expect(zip(train.elements[6...], [1, -1, 2]).allSatisfy { abs($0 - $1) < 1e-12 } && loss.elements[2] < 1e-24)
        let end = try await client.post("/v1/predictions", #"{\#(Self.points),"posterior":"ensemble","covariance":"diagonal"}"#)
        #expect(zip(try end.array("mean").elements, mean.elements[4...]).allSatisfy { abs($0 - $1) < 1e-12 })
        let variance = try answer.array("variance").elements
        #expect(zip(try end.array("variance").elements, variance[4...]).allSatisfy { abs($0 - $1) < 1e-12 })
        let prior = try await client.post(
            "/v1/kernels",
            #"{"architecture":{"type":"mlp","depth":1,"w_std":1.4142135623730951,"b_std":0.1},"x1":[[2,1],[1,0]],"kinds":["nngp"],"diagonal":true}"#)
        #expect(zip(try prior.array("nngp").elements, variance[0...1]).allSatisfy { abs($0 - $1) < 1e-14 })
        // The time to a loss is where the loss is that.
        guard case .number(let time) = try answer.object["time_to_loss"] else { return #expect(Bool(false), "\(answer.text)") }
        let there = try await client.post("/v1/dynamics", #"{\#(Self.points),"times":[\#(time.value)]}"#)
        #expect(try abs(there.array("train_loss").elements[0] - 0.01) < 1e-12)
    }

    /// Steps by hand on the kernel of `/v1/kernels`.
    @Test(arguments: [0.0, 0.9])
    func stepsAreThoseOfTheLoop(momentum: Double) async throws {
        let gram = try await client.post(
            "/v1/kernels", #"{"architecture":{"type":"mlp","depth":1,"w_std":1.4142135623730951,"b_std":0.1},"x1":[[1,0],[0,1],[1,2]]}"#
        ).array("ntk").elements
        let optimizer =
            momentum == 0 ? #"{"type":"gradient_descent","learning_rate":0.4}"# : #"{"type":"heavy_ball","learning_rate":0.4,"momentum":0.9}"#
        let answer = try await client.post(
            "/v1/dynamics",
            #"{"kernel":\#(Self.kernel),"x_train":[[1,0],[0,1],[1,2]],"y_train":[1,-1,2],"times":[50],"optimizer":\#(optimizer),"initial_outputs":{"train":[0.5,0.5,0]},"target_loss":0.1}"#
        )
        let y = [1.0, -1, 2]
        var (f, last, first) = ([0.5, 0.5, 0], [0.5, 0.5, 0], Double?.none)
        for step in 1...50 {
            let next = (0..<3).map { i in
                f[i] + 0.4 / 3 * (0..<3).reduce(0) { $0 + gram[i * 3 + $1] * (y[$1] - f[$1]) } + momentum * (f[i] - last[i])
            }
            (last, f) = (f, next)
            if first == nil, zip(f, y).reduce(0, { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }) / 6 <= 0.1 { first = Double(step) }
        }
        #expect(zip(try answer.array("train_mean").elements, f).allSatisfy { abs($0 - $1) < 1e-12 }, "\(answer.text) \(f)")
        guard case .number(let time) = try answer.object["time_to_loss"] else { return #expect(Bool(false), "\(answer.text)") }
        #expect(time.value == first)
    }

    @Test(arguments: [
        (#""times":[]"#, "/times"), (#""times":[-1]"#, "/times/0"), (#""times":[0.5],"optimizer":{"type":"gradient_descent"}"#, "/times/0"),
        (#""times":[1],"optimizer":{"type":"adam"}"#, "/optimizer/type"),
        (#""times":[1],"optimizer":{"type":"heavy_ball","momentum":1}"#, "/optimizer/momentum"),
        (#""times":[1],"optimizer":{"type":"gradient_flow","momentum":0.5}"#, "/optimizer/momentum"),
        (#""times":[9999],"optimizer":{"type":"gradient_descent","learning_rate":1000}"#, "/optimizer/learning_rate"),
        (#""times":[1],"initial_outputs":{"train":[1,2,3]}"#, "/initial_outputs/test"),
        (#""times":[1],"initial_outputs":{"train":[1,2],"test":[1,2]}"#, "/initial_outputs/train"),
        (#""times":[1],"covariance":"full","initial_outputs":{"train":[1,2,3],"test":[1,2]}"#, "/covariance"),
    ])
    func refuses(fields: String, pointer: String) async throws {
        let answer = try await client.post("/v1/dynamics", #"{\#(Self.points),\#(fields)}"#)
        #expect(try answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
    }

    @Test func spectrum() async throws {
        let answer = try await client.post(
            "/v1/spectra", #"{"kernel":{"matrices":{"train_train":[[2,0,0],[0,8,0],[0,0,4]]}},"y":[1,2,-2],"ridge":2,"sample_sizes":[1,2]}"#)
        #expect(try answer.array("eigenvalues").elements == [8, 4, 2], "\(answer.text)")
        func number(_ name: String) throws -> Double {
            guard case .number(let number) = try answer.object[name] else { throw JSONError(.shape, at: name, "a number expected") }
            return number.value
        }
        #expect(try abs(number("effective_dimension") - (0.8 + 4.0 / 6 + 0.5)) < 1e-15 && number("condition_number") == 4)
        #expect(try abs(number("rkhs_norm") - 2.0.squareRoot()) < 1e-15 && abs(number("generalization_bound") - (4.0 / 3).squareRoot()) < 1e-15)
        // ⟨K, yyᵀ⟩ = 2 + 32 + 16; ‖K‖ = √84, ‖yyᵀ‖ = 9.
        #expect(try abs(number("alignment") - 50 / (84.0.squareRoot() * 9)) < 1e-15)
        #expect(try zip(answer.array("half_lives").elements, [8.0, 4, 2]).allSatisfy { abs($0 - log(2) * 3 / $1) < 1e-15 })
    }

    /// One point of two classes: z + e^z grows by 2θηt, for the difference z of the outputs.
    @Test func crossEntropyFollowsItsFlow() async throws {
        let client = ServiceClient()
        let request = #""kernel":{"matrices":{"train_train":[[1.7]],"test_train":[[0.85]]}},"labels":["a"],"times":[3,0]"#
        let wrong = try await client.post("/v1/dynamics", #"{\#(request),"loss":"cross_entropy"}"#)
        #expect(wrong.status == 422)
        let two = #""kernel":{"matrices":{"train_train":[[1.7,0],[0,1.7]],"test_train":[[0.85,0]]}},"labels":["a","b"],"times":[3,0]"#
        let answer = try await client.post(
            "/v1/dynamics", #"{\#(two),"loss":"cross_entropy","optimizer":{"type":"gradient_flow","learning_rate":0.8}}"#)
        #expect(answer.status == 200, "\(answer.text)")
        let (train, test, losses) = (try answer.array("train_mean"), try answer.array("mean"), try answer.array("train_loss"))
        #expect(train.shape == [2, 2, 2] && test.shape == [2, 1, 2])
        let z = train.elements[0] - train.elements[1]
        // The loss is the mean of two points, each of which is by itself.
        #expect(abs(z + exp(z) - (1 + 2 * 1.7 * 0.4 * 3)) < 1e-7)
        #expect(abs(test.elements[0] - train.elements[0] / 2) < 1e-9)
        #expect(abs(losses.elements[0] - log1p(exp(-z))) < 1e-9 && abs(losses.elements[1] - log(2)) < 1e-15)
        for (field, pointer) in [
            (#""covariance":"diagonal""#, "/covariance"), (#""target_loss":0.1"#, "/target_loss"),
            (#""optimizer":{"type":"heavy_ball"}"#, "/optimizer/type"),
        ] {
            let refused = try await client.post("/v1/dynamics", #"{\#(two),"loss":"cross_entropy",\#(field)}"#)
            #expect(refused.status == 422)
            #expect(try refused.pointers == [pointer], "\(refused.text)")
        }
        let values = two.replacingOccurrences(of: "\"labels\":[\"a\",\"b\"]", with: "\"y_train\":[1,2]")
        #expect(try await client.post("/v1/dynamics", #"{\#(values),"loss":"cross_entropy"}"#).pointers == ["/labels"])
    }
}
