import FiniteNetworks
import Foundation
import LinearAlgebra
import ONNX
import Testing

/// Outputs and full kernels of ten networks as torch exports them, in both forms of its exporter, against torch in double precision.
struct ReferenceNetworkTests {
    struct Manifest: Decodable {
        struct Model: Decodable {
            struct File: Decodable {
                struct Kernel: Decodable { var file: String }
                var file: String
                var outputsFloat64OfFile: Double
                var ntkOfFileAgainstTorch: Double?
                var ntk: Kernel?
                var initializersThatCount: [String]
            }
            struct Input: Decodable {
                var file: String
                var onnx: String
            }
            struct Array: Decodable {
                var file: String
                var shape: [Int]
            }
            var inputs: [Input]
            var outputs: Array
            var ntk: Array
            var files: [String: File]
        }
        var models: [String: Model]
    }

    static func file(_ name: String) -> URL { Bundle.module.resourceURL!.appending(path: "Golden").appending(path: name) }

    static let manifest: Manifest = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try! decoder.decode(Manifest.self, from: Data(contentsOf: file("manifest.json")))
    }()

    /// The network, its points and what is known of it.
    static func load(
        _ name: String, _ form: String
    ) throws -> (network: GraphNetwork, points: [String: NetworkInput], file: Manifest.Model.File, model: Manifest.Model) {
        let model = try #require(manifest.models[name])
        let file = try #require(model.files[form])
        let network = try GraphNetwork(ONNXModel(bytes: [UInt8](Data(contentsOf: Self.file(file.file)))))
        var points: [String: NetworkInput] = [:]
        for input in model.inputs { points[input.onnx] = try NpyFile(Self.file(input.file)).input }
        return (network, points, file, model)
    }

    static let all = manifest.models.keys.sorted().flatMap { name in ["faithful", "default"].map { (name, $0) } }

    @Test(arguments: all)
    func outputsAndKernel(_ name: String, _ form: String) throws {
        let (network, points, file, model) = try Self.load(name, form)
        let program = try network.program(Double.self, shapes: points.mapValues { Array($0.shape.dropFirst()) })
        // A number by itself takes part only where it is named.
        let counted = program.parameters.filter { $0.countsByDefault || file.initializersThatCount.contains($0.name) }.map(\.name)
        #expect(counted.sorted() == file.initializersThatCount.sorted())
        let outputs = try program.outputs(points)
        let expected = try NpyFile(Self.file(model.outputs.file))
        #expect(relativeDistance(outputs, expected.reals) <= max(1e-12, 2 * file.outputsFloat64OfFile))
        var question = KernelQuestion()
        question.parameters = counted
        let kernel = try program.tangentKernel(points, nil, question)
        #expect(kernel.shape == model.ntk.shape)
        let reference = try NpyFile(Self.file(file.ntk?.file ?? model.ntk.file))
        let distance = relativeDistance(kernel.shares[0].numbers.elements, reference.reals)
        #expect(distance <= max(1e-12, 2 * (file.ntkOfFileAgainstTorch ?? 0)), "\(kernel.byGrams)")
    }

    /// In single precision large tensors are read where they stand in the file, at whatever address.
    @Test(arguments: all)
    func singlePrecision(_ name: String, _ form: String) throws {
        let (network, points, _, model) = try Self.load(name, form)
        let shapes = points.mapValues { Array($0.shape.dropFirst()) }
        let outputs = try network.program(Float.self, shapes: shapes).outputs(points).map(Double.init)
        let expected = try NpyFile(Self.file(model.outputs.file))
        #expect(relativeDistance(outputs, expected.reals) <= 1e-4)
    }
}
