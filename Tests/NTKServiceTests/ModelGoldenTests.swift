import Foundation
import HTTPTypes
import NTKService
import TensorFormats
import Testing

/// The reference networks by HTTP: each is stored and described, and its outputs and full kernel are those of torch in double precision.
struct ModelGoldenTests {
    static let all = ModelFixtures.manifest.models.keys.sorted().flatMap { name in ["faithful", "default"].map { (name, $0) } }

    private func distance(_ one: NumericArray, _ other: NumericArray) -> Double {
        let scale = other.elements.reduce(0) { max($0, abs($1)) }
        return zip(one.elements, other.elements).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }

    @Test(arguments: all) func outputsAndKernel(_ name: String, _ form: String) async throws {
        let client = ServiceClient()
        let model = try #require(ModelFixtures.manifest.models[name])
        let entry = try #require(model.files[form])
        let file = try ModelFixtures.file(entry.file)
        let stored = try await client.postModel(file, name: name)
        #expect(stored.status == 201, "\(stored.text)")
        guard case .array(let parameters)? = try stored.object["parameters"] else {
            Issue.record("\(stored.text)")
            return
        }
        let differentiable = parameters.compactMap { parameter -> String? in
            guard case .object(let parameter) = parameter, case .bool(true)? = parameter["differentiable"],
                case .string(let name)? = parameter["name"]
            else { return nil }
            return name
        }
        #expect(Set(entry.initializersThatCount).isSubset(of: differentiable))
        // Points by the name of the input, the network by its id.
        let points = try model.inputs.map { ("x.\(try #require($0.onnx))", try ModelFixtures.file($0.file)) }
        let outputs = try await client.post("/v1/network-outputs?format=npy", "{\"network\":\"\(try stored.id)\"}", points)
        #expect(outputs.status == 200, "\(outputs.text.prefix(300))")
        let expected = try ModelFixtures.array(model.outputs.file)
        let came = try Npy.read(outputs.body[...])
        #expect(came.shape == expected.shape)
        #expect(distance(came, expected) <= max(1e-12, 2 * entry.outputsFloat64OfFile))
        // The network as a part; numbers by themselves take part where they are named.
        let names = entry.initializersThatCount.map { "\"\($0)\"" }.joined(separator: ",")
        let x1 = try model.inputs.map { ("x1.\(try #require($0.onnx))", try ModelFixtures.file($0.file)) }
        let kernel = try await client.post(
            "/v1/empirical-kernels?format=npy", "{\"outputs\":\"full\",\"include\":[\(names)]}", [("network.onnx", file)] + x1)
        #expect(kernel.status == 200, "\(kernel.text.prefix(300))")
        let reference = try ModelFixtures.array(entry.ntk?.file ?? model.ntk.file)
        let found = try Npy.read(kernel.body[...])
        #expect(found.shape == reference.shape)
        #expect(distance(found, reference) <= max(1e-12, 2 * (entry.ntkOfFileAgainstTorch ?? 0)))
    }
}
