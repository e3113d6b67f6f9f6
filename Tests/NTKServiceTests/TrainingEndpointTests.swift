import TensorFormats
import Testing

struct TrainingEndpointTests {
    let client = ServiceClient()

    static func request(width: Int, _ more: String, parameterization: String = "ntk") -> String {
        let dense = #"{"type":"dense","parameterization":"\#(parameterization)","b_std":0.1,"w_std":1.4142135623730951"#
        return #"""
            {"network":{"architecture":{"type":"serial","layers":[\#(dense),"width":\#(width)},{"type":"relu"},\#(dense),"width":1}]},
              "initialization":{"seed":3}},
             "x_train":[[1,0],[0,1],[-1,0.5],[0.3,-1]],"y_train":[1,-1,0.5,0],"x_test":[[0.5,0.5]],"y_test":[0]\#(more)}
            """#
    }

    /// The wider the network, the closer it stays to its kernel's prediction, and the less its kernel moves.
    @Test func widthMakesTrainingLazy() async throws {
        var deviations: [Double] = []
        var drifts: [Double] = []
        for width in [16, 256, 4096] {
            let answer = try await client.post("/v1/trainings", Self.request(width: width, #","steps":[0,5,40]"#))
            #expect(answer.status == 200, "\(answer.text)")
            let (drift, own, kernel) = (try answer.array("kernel_drift"), try answer.array("train_loss"), try answer.array("kernel_train_loss"))
            #expect(drift.elements[0] == 0 && abs(own.elements[0] - kernel.elements[0]) < 1e-15 && own.elements[2] < own.elements[0])
            #expect(try answer.array("train_outputs").shape == [3, 4] && answer.array("kernel_test_outputs").shape == [3, 1])
            #expect(try answer.array("parameter_distance").elements[2] > 0)
            drifts.append(drift.elements[2])
            deviations.append(try answer.array("deviation").elements[2])
        }
        // Both go with 1/√width.
        #expect(drifts[0] > 2 * drifts[1] && drifts[1] > 2 * drifts[2], "\(drifts)")
        #expect(deviations[1] > 2 * deviations[2] && deviations[2] < 0.02, "\(deviations)")
    }

    @Test func oneStepAgainstItsGradient() async throws {
        // f = w₂ relu(w₁ x), x = 1: w₁ = 2, w₂ = 3, y = 0: f = 6, ∂L = f·(w₂, w₁) = (18, 12); η = 0.01.
        let architecture = #"{"type":"serial","layers":[{"type":"dense"},{"type":"relu"},{"type":"dense"}]}"#
        let network = #"{"architecture":\#(architecture),"parameters":{"0.weight":[[2]],"2.weight":[[3]]}}"#
        let answer = try await client.post(
            "/v1/trainings", #"{"network":\#(network),"x_train":[[1]],"y_train":[0],"steps":[0,1],"learning_rate":0.01}"#)
        let outputs = try answer.array("train_outputs").elements
        #expect(outputs[0] == 6 && abs(outputs[1] - (3 - 0.12) * (2 - 0.18)) < 1e-14, "\(answer.text)")
        // The kernel is 9 + 4: f₁ = 6 − 0.01·13·6.
        #expect(try abs(answer.array("kernel_train_outputs").elements[1] - (6 - 0.78)) < 1e-14)
        #expect(try abs(answer.array("parameter_distance").elements[1] - (0.12 * 0.12 + 0.18 * 0.18).squareRoot()) < 1e-14)
    }

    @Test(arguments: [
        (#","steps":[]"#, "/steps"), (#","steps":[3,1]"#, "/steps"), (#","steps":[1],"learning_rate":-1"#, "/learning_rate"),
        (#","steps":[500],"learning_rate":1000"#, "/learning_rate"), (#","steps":[1],"momentum":1"#, "/momentum"),
    ])
    func refuses(more: String, pointer: String) async throws {
        let answer = try await client.post("/v1/trainings", Self.request(width: 8, more))
        #expect(try answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
    }
}
