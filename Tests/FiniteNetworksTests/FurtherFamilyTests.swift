import FiniteNetworks
import Foundation
import LinearAlgebra
import ONNX
import Testing

/// Networks of further families as the Python client exports them, against torch in double precision: windows that shift, experts, graphs, grids
/// that are sampled, separable convolutions, mixers. `Clients/pytorch/golden_families.py` writes them.
struct FurtherFamilyTests {
    struct Record: Decodable {
        struct Array: Decodable {
            var shape: [Int]
            var reals: [Double]?
            var integers: [Int64]?
        }
        var inputs: [String: Array]
        var outputs: Array
        var kernel: Array
    }

    @Test(arguments: ["convnext", "efficientnet", "swin", "experts", "graphs", "grids", "mixer", "waves"])
    func outputsAndKernel(_ name: String) throws {
        func content(_ kind: String) throws -> Data { try Data(contentsOf: ReferenceNetworkTests.file("families/\(name).\(kind)")) }
        let record = try JSONDecoder().decode(Record.self, from: content("json"))
        let network = try GraphNetwork(ONNXModel(bytes: [UInt8](content("onnx"))))
        var points: [String: NetworkInput] = [:]
        for (input, array) in record.inputs {
            // A network with one input calls it what its writer does.
            let place = record.inputs.count == 1 ? try #require(network.inputs.first).name : input
            points[place] = NetworkInput(shape: array.shape, array.reals.map { .reals($0) } ?? .integers(array.integers ?? []))
        }
        let program = try network.program(Double.self, shapes: points.mapValues { Array($0.shape.dropFirst()) })
        // Files hold epsilons in single precision, and these two a scale.
        let tolerance = ["swin", "grids"].contains(name) ? 1e-7 : 1e-9
        #expect(try relativeDistance(program.outputs(points), record.outputs.reals ?? []) < tolerance)
        let kernel = try program.tangentKernel(points)
        #expect(kernel.shape == record.kernel.shape)
        #expect(relativeDistance(kernel.shares[0].numbers.elements, record.kernel.reals ?? []) < tolerance)
    }
}
