import FiniteNetworks
import LinearAlgebra
import ONNX
import Testing

/// Which initializers of a file are parameters where the request names none.
struct ParameterChoiceTests {
    /// y = w · x + b with w of shape [1, 2], b and a scale of one number.
    private func network(metadata: [String: String]) throws -> GraphNetwork {
        let graph = ONNXGraph(
            nodes: [ONNXNode("Gemm", ["x", "w", "b"], ["h"], attributes: ["transB": .int(1)]), ONNXNode("Mul", ["h", "s"], ["y"])],
            initializers: [
                ONNXTensor(name: "w", shape: [1, 2], doubles: [3, 5]), ONNXTensor(name: "b", shape: [1], doubles: [7]),
                ONNXTensor(name: "s", shape: [], doubles: [2]),
            ],
            inputs: [ONNXValueInfo(name: "x", type: .float64, shape: [.dynamic("n"), .fixed(2)])],
            outputs: [ONNXValueInfo(name: "y", type: .float64, shape: [.dynamic("n"), .fixed(1)])])
        return try GraphNetwork(ONNXModel(opset: 18, metadata: metadata, graph: graph))
    }

    /// K(x, x) at x = (1, 1): w gives s²·2, b gives s², s gives (3 + 5 + 7)².
    @Test(arguments: [(nil, 8.0, 2), ("w\nb", 12, 3), ("b", 4, 1), ("w\nb\ns\nunknown", 237, 4)])
    func theFileSaysWhichCount(_ names: String?, _ expected: Double, _ count: Int) throws {
        let network = try network(metadata: names.map { [GraphNetwork.parametersKey: $0] } ?? [:])
        let program = try network.program(Double.self)
        #expect(program.parameterCount == count)
        let kernel = try program.tangentKernel(["x": NetworkInput(shape: [1, 2], .reals([1, 1]))])
        #expect(kernel.shares[0].numbers.elements == [expected])
    }
}
