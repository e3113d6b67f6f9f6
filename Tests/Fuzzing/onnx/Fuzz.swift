import FiniteNetworks
import ONNX

/// Limits with which every graph is done with in a moment.
private let limits: GraphLimits = {
    var limits = GraphLimits()
    limits.steps = 2_000
    limits.elements = 1 << 16
    limits.bytes = 16 << 20
    limits.turns = 50
    limits.foldedOperations = 1e7
    return limits
}()

/// Any bytes are a network whose outputs can be computed, or an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    guard let model = try? ONNXModel(bytes: bytes) else { return 0 }
    guard let network = try? GraphNetwork(model, limits: limits) else { return 0 }
    let shapes = Dictionary(network.inputs.map { ($0.name, $0.shape.map { $0 ?? 3 }) }) { first, _ in first }
    guard let program = try? network.program(Float.self, shapes: shapes) else { return 0 }
    var points: [String: NetworkInput] = [:]
    for input in network.inputs {
        let shape = [2] + (shapes[input.name] ?? [])
        let count = shape.reduce(1, *)
        points[input.name] = NetworkInput(
            shape: shape, input.type.isReal ? .reals([Double](repeating: 0.5, count: count)) : .integers([Int64](repeating: 1, count: count)))
    }
    guard program.forwardOperations < 1e7, program.outputCount < 64 else { return 0 }
    guard let outputs = try? program.outputs(points) else { return 0 }
    precondition(outputs.count == 2 * program.outputCount)
    var question = KernelQuestion()
    question.outputs = .sum
    guard program.parameterCount < 100_000, let kernel = try? program.tangentKernel(points, nil, question) else { return 0 }
    precondition(kernel.shape == [2, 2])
    return 0
}
